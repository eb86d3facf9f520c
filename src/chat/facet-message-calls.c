#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <adwaita.h>
#include <glib/gi18n-lib.h>
#include <string.h>

#include "facet-message-calls.h"

#include "facet-text-widgets.h"
#include "facet-toolbox.h"

#define SHORT_TEXT 600 /* bytes, shown whole */
#define LONG_HEIGHT 160
#define MAX_SUMMARY 80 /* letters */

typedef struct {
  GtkWidget *expander;
  GtkWidget *icon;
  GtkWidget *title;
  GtkWidget *summary;   /* in one line what came of it */
  GtkWidget *arguments; /* as facet_message_calls_text_new() */
  GtkWidget *outcome;   /* all of the result */
  GtkWidget *result;    /* likewise */
  char      *texts[2];  /* of both, shown once it is open */
} Row;

static void
row_free (gpointer data)
{
  Row *row = data;

  g_free (row->texts[0]);
  g_free (row->texts[1]);
  g_free (row);
}

/* ---- one call ----------------------------------------------------------- */

static GtkWidget *
short_text (const char *text)
{
  GtkWidget *label = facet_text_label_new ();

  gtk_label_set_text (GTK_LABEL (label), text);
  gtk_widget_add_css_class (label, "monospace");
  return label;
}

/* Code runs from left to right in every language. */
void
facet_message_calls_show_text (GtkWidget *bin, const char *text)
{
  g_autofree char *shown = facet_toolbox_reveal (text);
  gboolean is_short = strlen (shown) <= SHORT_TEXT;
  GtkWidget *child = is_short ? short_text (shown) : facet_long_text_new (shown, LONG_HEIGHT);
  GtkWidget *words = is_short ? child : gtk_scrolled_window_get_child (GTK_SCROLLED_WINDOW (child));

  if (!is_short)
    gtk_text_view_set_monospace (GTK_TEXT_VIEW (words), TRUE);
  gtk_widget_set_direction (words, GTK_TEXT_DIR_LTR);
  gtk_accessible_update_property (GTK_ACCESSIBLE (words), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  (const char *) g_object_get_data (G_OBJECT (bin), "name"), -1);
  adw_bin_set_child (ADW_BIN (bin), child);
}

GtkWidget *
facet_message_calls_text_new (const char *name)
{
  GtkWidget *bin = adw_bin_new ();

  g_object_set_data_full (G_OBJECT (bin), "name", g_strdup (name), g_free);
  gtk_widget_add_css_class (bin, "call-text");
  return bin;
}

static void
show_texts (Row *row)
{
  if (!gtk_expander_get_expanded (GTK_EXPANDER (row->expander)))
    return;
  facet_message_calls_show_text (row->arguments, row->texts[0]);
  facet_message_calls_show_text (row->result, row->texts[1]);
}

static GtkWidget *
caption (const char *text)
{
  GtkWidget *label = gtk_label_new (text);

  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_widget_add_css_class (label, "caption-heading");
  gtk_widget_add_css_class (label, "dim-label");
  return label;
}

static GtkWidget *
add_text (GtkWidget *box, const char *name)
{
  GtkWidget *text = facet_message_calls_text_new (name);

  gtk_box_append (GTK_BOX (box), caption (name));
  gtk_box_append (GTK_BOX (box), text);
  return text;
}

static GtkWidget *
call_row (void)
{
  Row *row = g_new0 (Row, 1);
  GtkWidget *line = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 8);
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);

  row->expander = gtk_expander_new (NULL);
  row->icon = gtk_image_new ();
  gtk_accessible_update_state (GTK_ACCESSIBLE (row->icon), GTK_ACCESSIBLE_STATE_HIDDEN, TRUE, -1);
  row->title = gtk_label_new (NULL);
  row->summary = gtk_label_new (NULL);
  row->outcome = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  gtk_label_set_ellipsize (GTK_LABEL (row->summary), PANGO_ELLIPSIZE_END);
  gtk_label_set_xalign (GTK_LABEL (row->summary), 0);
  gtk_widget_add_css_class (row->title, "heading");
  gtk_widget_add_css_class (row->summary, "dim-label");
  gtk_box_append (GTK_BOX (line), row->icon);
  gtk_box_append (GTK_BOX (line), row->title);
  gtk_box_append (GTK_BOX (line), row->summary);
  row->arguments = add_text (box, C_("call of a tool", "Arguments"));
  row->result = add_text (row->outcome, C_("call of a tool", "Result"));
  gtk_box_append (GTK_BOX (box), row->outcome);
  gtk_widget_add_css_class (box, "call-texts");
  gtk_expander_set_label_widget (GTK_EXPANDER (row->expander), line);
  gtk_expander_set_child (GTK_EXPANDER (row->expander), box);
  gtk_widget_add_css_class (row->expander, "call");
  g_object_set_data_full (G_OBJECT (row->expander), "row", row, row_free);
  g_signal_connect_swapped (row->expander, "notify::expanded", G_CALLBACK (show_texts), row);
  return row->expander;
}

/* The first line, shortened. */
static char *
first_line (const char *text)
{
  g_autofree char *line = g_strndup (text, strcspn (text, "\r\n"));
  g_autofree char *shown = facet_toolbox_reveal (line);

  return g_utf8_strlen (shown, -1) > MAX_SUMMARY ? g_utf8_substring (shown, 0, MAX_SUMMARY) : g_steal_pointer (&shown);
}

static char *
summary_of (const FacetCallRecord *call, gboolean running)
{
  switch (call->state) {
  case FACET_CALL_DONE:
    return first_line (call->result);
  case FACET_CALL_FAILED:
    return g_strdup (C_("call of a tool", "Could not be done"));
  case FACET_CALL_DENIED:
    return g_strdup (C_("call of a tool", "Not allowed"));
  case FACET_CALL_OPEN:
    if (running)
      return g_strdup ("…");
    G_GNUC_FALLTHROUGH;
  case FACET_CALL_STOPPED:
  default:
    return g_strdup (C_("call of a tool", "Stopped"));
  }
}

static void
take_text (Row *row, guint i, const char *text)
{
  g_free (row->texts[i]);
  row->texts[i] = g_strdup (text);
}

static void
update_row (GtkWidget *expander, const FacetCallRecord *call, gboolean running)
{
  static const char *const icons[] = {
    "applications-engineering-symbolic", "applications-engineering-symbolic", "dialog-warning-symbolic",
    "action-unavailable-symbolic", "media-playback-stop-symbolic"
  };
  Row *row = g_object_get_data (G_OBJECT (expander), "row");
  g_autofree char *summary = summary_of (call, running);
  /* Translators: name of a tool, and what came of its call; for screen readers */
  g_autofree char *name = g_strdup_printf (C_("call of a tool", "%s: %s"), facet_toolbox_title (call->tool), summary);

  gtk_image_set_from_icon_name (GTK_IMAGE (row->icon), icons[call->state]);
  gtk_label_set_text (GTK_LABEL (row->title), facet_toolbox_title (call->tool));
  gtk_label_set_text (GTK_LABEL (row->summary), summary);
  facet_widget_set_shown (row->outcome, *call->result != '\0');
  gtk_accessible_update_property (GTK_ACCESSIBLE (expander), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
  take_text (row, 0, call->arguments);
  take_text (row, 1, call->result);
  show_texts (row);
}

/* ---- all of them -------------------------------------------------------- */

GtkWidget *
facet_message_calls_new (void)
{
  GtkWidget *calls = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);

  gtk_widget_set_visible (calls, FALSE);
  return calls;
}

void
facet_message_calls_update (GtkWidget *calls, const GPtrArray *records, gboolean running)
{
  GtkWidget *row = gtk_widget_get_first_child (calls);

  facet_widget_set_shown (calls, records->len > 0);
  for (guint i = 0; i < records->len; i++) {
    if (row == NULL) {
      row = call_row ();
      gtk_box_append (GTK_BOX (calls), row);
    }
    update_row (row, records->pdata[i], running);
    row = gtk_widget_get_next_sibling (row);
  }
  while (row != NULL) {
    GtkWidget *next = gtk_widget_get_next_sibling (row);

    gtk_box_remove (GTK_BOX (calls), row);
    row = next;
  }
}
