/* facet-link.h - links in answers open nothing unasked */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* Handler of GtkLabel::activate-link: shows the address and asks. Only web and
 * mail addresses are offered to open. */
gboolean facet_link_activate_cb (GtkLabel *label, const char *uri, gpointer user_data);

G_END_DECLS
