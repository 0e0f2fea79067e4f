/* SPDX-License-Identifier: ISC */
/*
 * How the conversation looks, light and dark: one sheet of style in the
 * theme's own colours, and hues for names in two shades.  The window's
 * process runs it.
 */
#include "chat/faces/window/talk-parts.h"

static const char sheet[] =
    ".talk-list { background: transparent; padding: 6px 0; }"
    ".talk-list > row { padding: 0 12px; background: none; }"
    ".talk-row { padding: 2px 0; }"
    ".talk-bubble { padding: 6px 12px; border-radius: 14px; }"
    ".talk-other, .talk-other-private { background: alpha(@view_fg_color, "
    ".09); }"
    ".talk-own, .talk-own-private { background: alpha(@accent_bg_color, "
    ".28); }"
    ".talk-own { margin-left: 48px; } .talk-own-private { margin-left: 48px; }"
    ".talk-other { margin-right: 48px; }"
    ".talk-other-private { margin-right: 48px; }"
    ".talk-own-private, .talk-other-private, .talk-privately .talk-field "
    "{ box-shadow: inset 0 0 0 2px @success_color; }"
    ".talk-failed { background: alpha(@error_bg_color, .22); "
    "margin-left: 48px; }"
    ".talk-notice { background: alpha(@warning_bg_color, .25); }"
    ".talk-author { font-weight: bold; font-size: 90%; }"
    ".talk-foot { font-size: 80%; opacity: .75; }"
    ".talk-reason { font-size: 90%; color: @error_color; }"
    ".talk-day { font-size: 90%; opacity: .8; margin: 12px 0 6px 0; }"
    ".talk-new { font-weight: bold; font-size: 90%; color: @accent_color; "
    "border-bottom: 1px solid @accent_color; margin: 6px 0; }"
    ".talk-found .talk-bubble { box-shadow: inset 0 0 0 3px "
    "@accent_bg_color; }"
    ".talk-down { margin: 12px; }"
    ".talk-composer { padding: 6px 12px 12px 12px; "
    "border-top: 1px solid alpha(currentColor, .15); }"
    ".talk-field { border-radius: 10px; "
    "background: alpha(@view_fg_color, .06); }"
    ".talk-entry, .talk-entry text { background: none; }"
    ".talk-entry { padding: 8px 10px; }"
    ".talk-way { font-size: 90%; opacity: .8; }"
    ".talk-privately .talk-way { color: @success_color; opacity: 1; "
    "font-weight: bold; }"
    ".talk-hint { color: @error_color; font-size: 90%; }"
    ".talk-live { font-size: 1px; min-height: 0; opacity: 0; "
    "margin: 0; padding: 0; }"
    ".talk-bar { padding: 8px 12px; }"
    ".talk-consent { background: alpha(@accent_bg_color, .25); }"
    ".talk-lost { background: alpha(@warning_bg_color, .35); }"
    ".talk-key { font-family: monospace; font-size: 90%; }"
    ".talk-found-head { font-size: 90%; opacity: .75; }"
    ".talk-found-note { margin: 6px 12px; }"
    ".talk-found-list > row { padding: 6px 12px; }";

static const char light[] = ".talk-hue-0 { color: #1c71d8; }"
			    ".talk-hue-1 { color: #237a43; }"
			    ".talk-hue-2 { color: #a33d00; }"
			    ".talk-hue-3 { color: #813d9c; }"
			    ".talk-hue-4 { color: #b0186a; }"
			    ".talk-hue-5 { color: #0f6d74; }";

static const char dark[] = ".talk-hue-0 { color: #99c1f1; }"
			   ".talk-hue-1 { color: #8ff0a4; }"
			   ".talk-hue-2 { color: #ffbe6f; }"
			   ".talk-hue-3 { color: #dcb0ee; }"
			   ".talk-hue-4 { color: #f9a8cf; }"
			   ".talk-hue-5 { color: #93dde2; }";

/* The shades that can be read on what the theme has now. */
static void
shade(AdwStyleManager *manager, GParamSpec *what, GtkCssProvider *hues)
{
	(void)what;
	gtk_css_provider_load_from_data(
	    hues, adw_style_manager_get_dark(manager) ? dark : light, -1);
}

void
style_use(void)
{
	AdwStyleManager *manager = adw_style_manager_get_default();
	GdkDisplay *display = gdk_display_get_default();
	GtkCssProvider *style = gtk_css_provider_new();
	GtkCssProvider *hues = gtk_css_provider_new();

	gtk_css_provider_load_from_data(style, sheet, -1);
	shade(manager, NULL, hues);
	g_signal_connect_data(manager, "notify::dark", G_CALLBACK(shade),
	    g_object_ref(hues), (GClosureNotify)(void (*)(void))g_object_unref,
	    0);
	gtk_style_context_add_provider_for_display(display,
	    GTK_STYLE_PROVIDER(style), GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
	gtk_style_context_add_provider_for_display(display,
	    GTK_STYLE_PROVIDER(hues), GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
	g_object_unref(style);
	g_object_unref(hues);
}
