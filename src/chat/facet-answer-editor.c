#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>

#include "facet-answer-editor.h"

#include "facet-text-widgets.h"

struct _FacetAnswerEditor {
  GtkBox parent_instance;

  char      *original;
  GtkWidget *view;
  GtkWidget *save;
};

enum {
  SIGNAL_SAVE,
  SIGNAL_CANCEL,
  SIGNAL_CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FacetAnswerEditor, facet_answer_editor, GTK_TYPE_BOX)

static char *
get_text (FacetAnswerEditor *self)
{
  GtkTextBuffer *buffer = gtk_text_view_get_buffer (GTK_TEXT_VIEW (self->view));
  GtkTextIter start, end;

  gtk_text_buffer_get_bounds (buffer, &start, &end);
  return gtk_text_buffer_get_text (buffer, &start, &end, FALSE);
}

static gboolean
is_blank (const char *text)
{
  g_autofree char *rest = g_strstrip (g_strdup (text));

  return *rest == '\0';
}

static void
changed_cb (FacetAnswerEditor *self)
{
  g_autofree char *text = get_text (self);

  gtk_widget_set_sensitive (self->save, !is_blank (text));
  facet_widget_follow_text (self->view, text);
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0, text);
}

static void
cancel (FacetAnswerEditor *self)
{
  g_signal_emit (self, signals[SIGNAL_CANCEL], 0);
}

static void
save (FacetAnswerEditor *self)
{
  g_autofree char *text = get_text (self);

  if (is_blank (text))
    return;
  if (g_str_equal (text, self->original))
    cancel (self);
  else
    g_signal_emit (self, signals[SIGNAL_SAVE], 0, text);
}

static gboolean
grab_focus (GtkWidget *widget)
{
  return gtk_widget_grab_focus (FACET_ANSWER_EDITOR (widget)->view);
}

static gboolean
key_cb (FacetAnswerEditor *self, guint key, guint code, GdkModifierType state)
{
  if (key == GDK_KEY_Escape)
    cancel (self);
  else if ((key == GDK_KEY_Return || key == GDK_KEY_KP_Enter) && (state & GDK_CONTROL_MASK) != 0)
    save (self);
  else
    return GDK_EVENT_PROPAGATE;
  return GDK_EVENT_STOP;
}

static GtkWidget *
text_button (FacetAnswerEditor *self, const char *label, const char *style, GCallback clicked)
{
  GtkWidget *button = gtk_button_new_with_mnemonic (label);

  gtk_widget_add_css_class (button, style);
  g_signal_connect_swapped (button, "clicked", clicked, self);
  return button;
}

GtkWidget *
facet_answer_editor_new (const char *original, const char *text)
{
  FacetAnswerEditor *self = g_object_new (FACET_TYPE_ANSWER_EDITOR, "orientation", GTK_ORIENTATION_VERTICAL, "spacing", 6, NULL);
  GtkTextBuffer *buffer = gtk_text_view_get_buffer (GTK_TEXT_VIEW (self->view));

  self->original = g_strdup (original);
  gtk_text_buffer_begin_irreversible_action (buffer);
  gtk_text_buffer_set_text (buffer, text, -1);
  gtk_text_buffer_end_irreversible_action (buffer);
  return GTK_WIDGET (self);
}

static void
facet_answer_editor_finalize (GObject *object)
{
  g_free (FACET_ANSWER_EDITOR (object)->original);
  G_OBJECT_CLASS (facet_answer_editor_parent_class)->finalize (object);
}

static void
facet_answer_editor_class_init (FacetAnswerEditorClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = facet_answer_editor_finalize;
  GTK_WIDGET_CLASS (klass)->grab_focus = grab_focus;
  signals[SIGNAL_SAVE] = g_signal_new ("save", FACET_TYPE_ANSWER_EDITOR, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1,
                                       G_TYPE_STRING);
  signals[SIGNAL_CHANGED] = g_signal_new ("changed", FACET_TYPE_ANSWER_EDITOR, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1,
                                          G_TYPE_STRING);
  signals[SIGNAL_CANCEL] = g_signal_new ("cancel", FACET_TYPE_ANSWER_EDITOR, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
facet_answer_editor_init (FacetAnswerEditor *self)
{
  GtkWidget *buttons = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  GtkEventController *keys = gtk_event_controller_key_new ();

  self->view = g_object_new (GTK_TYPE_TEXT_VIEW, "wrap-mode", GTK_WRAP_WORD_CHAR, "accepts-tab", FALSE, "top-margin", 10,
                             "bottom-margin", 10, "left-margin", 12, "right-margin", 12, NULL);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->view), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Text of the answer"),
                                  GTK_ACCESSIBLE_PROPERTY_MULTI_LINE, TRUE, -1);
  gtk_widget_add_css_class (self->view, "answer-editor");
  self->save = text_button (self, _("_Save"), "suggested-action", G_CALLBACK (save));
  gtk_widget_set_halign (buttons, GTK_ALIGN_END);
  gtk_box_append (GTK_BOX (buttons), text_button (self, _("_Cancel"), "flat", G_CALLBACK (cancel)));
  gtk_box_append (GTK_BOX (buttons), self->save);
  gtk_box_append (GTK_BOX (self), self->view);
  gtk_box_append (GTK_BOX (self), buttons);
  g_signal_connect_swapped (gtk_text_view_get_buffer (GTK_TEXT_VIEW (self->view)), "changed", G_CALLBACK (changed_cb), self);
  /* before the text, which takes Ctrl+Enter as a new line */
  gtk_event_controller_set_propagation_phase (keys, GTK_PHASE_CAPTURE);
  g_signal_connect_swapped (keys, "key-pressed", G_CALLBACK (key_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self), keys);
}
