/* SPDX-License-Identifier: ISC */
/*
 * The display of a test of windows: keys and clicks as a keyboard and a mouse
 * make them (XTEST), and pictures of what can be seen.  There is no window
 * manager, so what one would do is done here.  Part of t/tool/window; never
 * runs on a display that people look at.
 */
#include <stdlib.h>
#include <string.h>

#include <X11/Xatom.h>
#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <X11/XKBlib.h>
#include <X11/extensions/XTest.h>
#include <cairo.h>

#include "window.h"

static Display *
display_open(void)
{
	static Display *display;

	if (display == NULL)
		display = XOpenDisplay(NULL);
	if (display == NULL)
		give_up("no display at %s", XDisplayName(NULL));
	return display;
}

static int
ignore(Display *display, XErrorEvent *error)
{
	(void)display, (void)error; /* a window that has gone meanwhile */
	return 0;
}

/* The newest one that a window manager would know of, and where it is. */
static Window
newest(Display *display, XWindowAttributes *where)
{
	XWindowAttributes is;
	Window root = DefaultRootWindow(display), parent, found = None, *all;
	unsigned count;

	XSetErrorHandler(ignore);
	if (!XQueryTree(display, root, &root, &parent, &all, &count))
		return None;
	for (unsigned i = 0; i < count; i++)
		if (XGetWindowAttributes(display, all[i], &is) &&
		    is.map_state == IsViewable && !is.override_redirect &&
		    is.class == InputOutput) {
			found = all[i];
			*where = is;
		}
	XFree(all);
	return found;
}

void
screen_focus(void)
{
	Display *display = display_open();
	XWindowAttributes where;
	Window window = newest(display, &where), now;
	int revert;

	if (window == None)
		give_up("there is no window");
	XGetInputFocus(display, &now, &revert);
	if (now != window)
		XSetInputFocus(
		    display, window, RevertToPointerRoot, CurrentTime);
	XSync(display, False);
}

static void
press(Display *display, KeyCode code, bool down)
{
	XTestFakeKeyEvent(display, code, down, CurrentTime);
}

/* A key for this symbol; where the keyboard has none, one without a symbol
 * becomes it, as xdotool(1) does. */
static KeyCode
key_for(Display *display, KeySym symbol, bool *shift)
{
	KeyCode code = XKeysymToKeycode(display, symbol);
	KeySym both[2] = {symbol, symbol};
	int low, high;

	*shift = false;
	if (code == 0) {
		XDisplayKeycodes(display, &low, &high);
		while (high > low &&
		    XkbKeycodeToKeysym(display, (KeyCode)high, 0, 0) !=
			NoSymbol)
			high--;
		XChangeKeyboardMapping(display, high, 2, both, 1);
		XSync(display, False);
		return (KeyCode)high;
	}
	*shift = XkbKeycodeToKeysym(display, code, 0, 0) != symbol &&
	    XkbKeycodeToKeysym(display, code, 0, 1) == symbol;
	return code;
}

static void
stroke(Display *display, KeySym symbol)
{
	KeyCode shift = XKeysymToKeycode(display, XStringToKeysym("Shift_L"));
	bool shifted;
	KeyCode code = key_for(display, symbol, &shifted);

	if (shifted)
		press(display, shift, true);
	press(display, code, true);
	press(display, code, false);
	if (shifted)
		press(display, shift, false);
}

void
screen_key(const char *chord)
{
	static const char *const modifiers[][2] = {
	    {"Shift", "Shift_L"},
	    {"Control", "Control_L"},
	    {"Alt", "Alt_L"},
	};
	Display *display = display_open();
	char **parts = g_strsplit(chord, "+", -1);
	guint count = g_strv_length(parts);
	KeyCode held[8];
	guint holding = 0;
	KeySym symbol = XStringToKeysym(parts[count - 1]);

	if (symbol == NoSymbol || count > G_N_ELEMENTS(held))
		give_up("no key is called %s", chord);
	for (guint i = 0; i + 1 < count; i++)
		for (size_t m = 0; m < G_N_ELEMENTS(modifiers); m++)
			if (strcmp(parts[i], modifiers[m][0]) == 0)
				held[holding++] = XKeysymToKeycode(
				    display, XStringToKeysym(modifiers[m][1]));
	for (guint i = 0; i < holding; i++)
		press(display, held[i], true);
	stroke(display, symbol);
	while (holding > 0)
		press(display, held[--holding], false);
	XSync(display, False);
	g_strfreev(parts);
}

/* The symbol of a character; a line's end is what Shift and Return make. */
static KeySym
symbol_of(gunichar c)
{
	return c < 0x100 ? c : 0x01000000 | c;
}

void
screen_type(const char *text)
{
	Display *display = display_open();

	for (; *text != '\0'; text = g_utf8_next_char(text)) {
		if (*text == '\n') {
			screen_key("Shift+Return");
			continue;
		}
		stroke(display, symbol_of(g_utf8_get_char(text)));
		XSync(display, False);
	}
}

void
screen_close(void)
{
	Display *display = display_open();
	XWindowAttributes where;
	XEvent event = {0};

	event.xclient.type = ClientMessage;
	event.xclient.window = newest(display, &where);
	event.xclient.message_type =
	    XInternAtom(display, "WM_PROTOCOLS", False);
	event.xclient.format = 32;
	event.xclient.data.l[0] =
	    (long)XInternAtom(display, "WM_DELETE_WINDOW", False);
	event.xclient.data.l[1] = CurrentTime;
	if (event.xclient.window == None)
		give_up("there is no window");
	XSendEvent(display, event.xclient.window, False, NoEventMask, &event);
	XSync(display, False);
}

void
screen_click(int x, int y)
{
	Display *display = display_open();
	XWindowAttributes where;

	if (newest(display, &where) == None)
		give_up("there is no window");
	XTestFakeMotionEvent(
	    display, -1, where.x + x, where.y + y, CurrentTime);
	XTestFakeButtonEvent(display, 1, True, CurrentTime);
	XTestFakeButtonEvent(display, 1, False, CurrentTime);
	XSync(display, False);
}

void
screen_size(int width, int height)
{
	Display *display = display_open();
	XWindowAttributes where;
	Window window = newest(display, &where);

	if (window == None)
		give_up("there is no window");
	XMoveResizeWindow(
	    display, window, 0, 0, (unsigned)width, (unsigned)height);
	XSync(display, False);
}

/* Copies the pixels over; both hold red, green and blue in a word. */
static bool
write_png(XImage *image, const char *file)
{
	cairo_surface_t *surface = cairo_image_surface_create(
	    CAIRO_FORMAT_RGB24, image->width, image->height);
	unsigned char *pixels = cairo_image_surface_get_data(surface);
	int stride = cairo_image_surface_get_stride(surface);
	uint32_t pixel;
	cairo_status_t status;

	for (int y = 0; y < image->height; y++)
		for (int x = 0; x < image->width; x++) {
			pixel = (uint32_t)XGetPixel(image, x, y);
			memcpy(pixels + y * stride + x * 4, &pixel, 4);
		}
	cairo_surface_mark_dirty(surface);
	status = cairo_surface_write_to_png(surface, file);
	cairo_surface_destroy(surface);
	return status == CAIRO_STATUS_SUCCESS;
}

bool
screen_picture(const char *file)
{
	Display *display = display_open();
	XWindowAttributes where;
	XImage *image;
	bool done;

	/* Of the root, so that menus above the window are in it. */
	if (newest(display, &where) == None)
		give_up("there is no window");
	image = XGetImage(display, DefaultRootWindow(display), where.x, where.y,
	    (unsigned)where.width, (unsigned)where.height, AllPlanes, ZPixmap);
	if (image == NULL)
		return false;
	done = write_png(image, file);
	XDestroyImage(image);
	return done;
}
