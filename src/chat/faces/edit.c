/* SPDX-License-Identifier: ISC */
/*
 * A text that is being typed.  Pure; used by faces that draw by themselves.
 * Never holds what could not be sent: such characters do not get in.
 */
#include "chat/faces/edit.h"
