/* facet-mnemonics.h - what a screen reader calls buttons
 *
 * GTK 4.8 names those with a mnemonic by their label with the mark in it, and
 * by the label that is shown: “_Save Save”. Only the latter is left. Icons of
 * buttons are spoken as “GtkImage”: they are kept from it.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* All buttons of this process, from now on. Once, on the main thread. */
void facet_mnemonics_name_buttons (void);

G_END_DECLS
