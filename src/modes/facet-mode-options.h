/* facet-mode-options.h - what a mode leaves to choose, beside the message
 *
 * A button that names the language of the answer and opens a popover with the
 * language (any, by name or from a list), the style and the audience, as far as
 * the mode's template has places for them; hidden where it has none. For a
 * check of pictures it counts the policies and opens their choice. Writes the
 * keys "target-language", "answer-style", "audience" and "policies".
 *
 * Thread-safety: main thread only.
 */
#pragma once

#include <gtk/gtk.h>

#include "modes/facet-mode.h"

G_BEGIN_DECLS

GtkWidget *facet_mode_options_new      (GSettings *settings);
void       facet_mode_options_set_mode (GtkWidget *options, const FacetMode *mode);

/* Shows @label, shortened where there is no room; a screen reader says @what it
 * is the value of, too. */
void       facet_mode_button_set_label (GtkMenuButton *button, const char *what, const char *label);

G_END_DECLS
