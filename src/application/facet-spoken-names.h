/* facet-spoken-names.h - what a screen reader calls what the toolkits leave unnamed
 *
 * GTK 4.8 names a button with a mnemonic by its label with the mark in it, and
 * by the label that is shown (“_Save Save”), speaks the icon of a button as
 * “GtkImage”, and falls back to the name of a type for whatever has no name:
 * the button that a menu button is made of, lists, menus, pages of a stack, what pops
 * up under a combo row, parts of the windows that GTK and libadwaita bring along. What people hear in
 * their place is what they see there: a tooltip, the text inside, the heading above.
 * Toasts are announced (facet-announce.h).
 */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

/* All widgets of this process, from now on. Once, on the main thread. */
void facet_spoken_names_set_up (void);

G_END_DECLS
