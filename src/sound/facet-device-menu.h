/* facet-device-menu.h - a menu of the recording devices of this machine
 *
 * The devices are looked for in a thread. The items set the action
 * "recorder.microphone" (string: a device's id, "": the system's choice) of an
 * ancestor.
 *
 * Thread-safety: main thread only.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

void facet_device_menu_fill (GtkMenuButton *button);

G_END_DECLS
