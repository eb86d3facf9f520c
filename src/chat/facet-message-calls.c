#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>

#include "facet-message-calls.h"

#define MAX_HEIGHT 180

typedef struct {
  GtkWidget *expander;
  GtkWidget *icon;
  GtkWidget *title;
  GtkWidget *arguments; /* GtkTextView */
  GtkWidget *outcome;   /* all of the result */
  GtkWidget *result;    /* GtkTextView */
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

char *
facet_message_calls_reveal (const char *text)
{
  GString *shown = g_string_new (NULL);

  for (const char *at = text; *at != '\0'; at = g_utf8_next_char (at)) {
    gunichar letter = g_utf8_get_char (at);
    GUnicodeType type = g_unichar_type (letter);

    if (letter == '\n' || letter == '\t' || (type != G_UNICODE_CONTROL && type != G_UNICODE_FORMAT))
      g_string_append_unichar (shown, letter);
    else
      g_string_append_printf (shown, "\\u{%04X}", letter);
  }
  return g_string_free (shown, FALSE);
}

/* ---- one call ----------------------------------------------------------- */

static void
show_texts (Row *row)
{
  GtkWidget *const views[] = { row->arguments, row->result };

  for (guint i = 0; gtk_expander_get_expanded (GTK_EXPANDER (row->expander)) && i < G_N_ELEMENTS (views); i++) {
    g_autofree char *shown = facet_message_calls_reveal (row->texts[i]);

    gtk_text_buffer_set_text (gtk_text_view_get_buffer (GTK_TEXT_VIEW (views[i])), shown, -1);
  }
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

/* Code runs from left to right in every language. */
static GtkWidget *
text_view (GtkWidget *box, const char *name)
{
  GtkWidget *scroller = gtk_scrolled_window_new ();
  GtkWidget *view = gtk_text_view_new ();

  gtk_text_view_set_editable (GTK_TEXT_VIEW (view), FALSE);
  gtk_text_view_set_cursor_visible (GTK_TEXT_VIEW (view), FALSE);
  gtk_text_view_set_monospace (GTK_TEXT_VIEW (view), TRUE);
  gtk_text_view_set_wrap_mode (GTK_TEXT_VIEW (view), GTK_WRAP_WORD_CHAR);
  gtk_text_view_set_accepts_tab (GTK_TEXT_VIEW (view), FALSE);
  gtk_widget_set_direction (view, GTK_TEXT_DIR_LTR);
  gtk_accessible_update_property (GTK_ACCESSIBLE (view), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
  gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (scroller), GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_propagate_natural_height (GTK_SCROLLED_WINDOW (scroller), TRUE);
  gtk_scrolled_window_set_max_content_height (GTK_SCROLLED_WINDOW (scroller), MAX_HEIGHT);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroller), view);
  gtk_box_append (GTK_BOX (box), caption (name));
  gtk_box_append (GTK_BOX (box), scroller);
  return view;
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
  row->outcome = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  gtk_label_set_ellipsize (GTK_LABEL (row->title), PANGO_ELLIPSIZE_END);
  gtk_label_set_xalign (GTK_LABEL (row->title), 0);
  gtk_box_append (GTK_BOX (line), row->icon);
  gtk_box_append (GTK_BOX (line), row->title);
  row->arguments = text_view (box, C_("call of a tool", "Arguments"));
  row->result = text_view (row->outcome, C_("call of a tool", "Result"));
  gtk_box_append (GTK_BOX (box), row->outcome);
  gtk_widget_add_css_class (box, "call-texts");
  gtk_expander_set_label_widget (GTK_EXPANDER (row->expander), line);
  gtk_expander_set_child (GTK_EXPANDER (row->expander), box);
  gtk_widget_add_css_class (row->expander, "call");
  g_object_set_data_full (G_OBJECT (row->expander), "row", row, row_free);
  g_signal_connect_swapped (row->expander, "notify::expanded", G_CALLBACK (show_texts), row);
  return row->expander;
}

static char *
title_of (const FacetCallRecord *call, gboolean running)
{
  switch (call->state) {
  case FACET_CALL_DONE:
    /* Translators: %s is the name of a tool such as “calculator” */
    return g_strdup_printf (_("Used %s"), call->tool);
  case FACET_CALL_FAILED:
    /* Translators: %s is the name of a tool such as “calculator” */
    return g_strdup_printf (_("%s could not do it"), call->tool);
  case FACET_CALL_DENIED:
    /* Translators: %s is the name of a tool such as “read_file” */
    return g_strdup_printf (_("You did not allow %s"), call->tool);
  case FACET_CALL_OPEN:
    if (running)
      return g_strdup_printf (C_("engine phase", "Using %s…"), call->tool);
    G_GNUC_FALLTHROUGH;
  case FACET_CALL_STOPPED:
  default:
    /* Translators: %s is the name of a tool such as “calculator” */
    return g_strdup_printf (_("%s was stopped"), call->tool);
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
  g_autofree char *title = title_of (call, running);

  gtk_image_set_from_icon_name (GTK_IMAGE (row->icon), icons[call->state]);
  gtk_label_set_text (GTK_LABEL (row->title), title);
  gtk_widget_set_visible (row->outcome, *call->result != '\0');
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
  gtk_widget_set_visible (calls, records->len > 0);
}
