#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "facet-message-row.h"

#include "facet-answer-editor.h"
#include "facet-markdown-view.h"
#include "facet-message-calls.h"
#include "facet-message-details.h"
#include "facet-text-widgets.h"
#include "modes/facet-mode.h"

/* How long the end of an answer is told. */
#define NOTICE_SECONDS 6
/* Bytes; longer messages scroll by themselves. */
#define LONG_QUESTION 16384
#define LONG_HEIGHT 280

struct _FacetMessageRow {
  GtkListBoxRow parent_instance;

  FacetMessage *message;
  GtkWidget    *body;     /* FacetMarkdownView of answers, GtkLabel of questions */
  GtkWidget    *editor;   /* in its place while an answer is corrected, else NULL */
  GtkWidget    *progress; /* spinner, and what is being done */
  GtkWidget    *spinner;
  GtkWidget    *phase;
  GtkWidget    *thoughts;
  GtkWidget    *calls;
  GtkWidget    *cut;      /* why the answer lacks its end */
  GtkWidget    *failure;
  GtkWidget    *failure_details;
  GtkWidget    *notice;   /* shown at the end of an answer */
  guint         notice_timer;
  GtkWidget    *toolbar;
  GtkWidget    *branches;
  GtkWidget    *branch_label;
  GtkWidget    *edited;
  GtkWidget    *back;
  GtkWidget    *forth;
  GtkWidget    *correct;  /* NULL beside questions */
  GtkWidget    *regenerate;
  GtkWidget    *go_on;
  GtkWidget    *details;
};

static guint growing_signal;

G_DEFINE_FINAL_TYPE (FacetMessageRow, facet_message_row, GTK_TYPE_LIST_BOX_ROW)

static GtkWidget *
icon_button (const char *icon, const char *name, const char *action, gint64 id)
{
  GtkWidget *button = gtk_button_new_from_icon_name (icon);

  gtk_widget_add_css_class (button, "flat");
  gtk_widget_set_tooltip_text (button, name);
  gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
  if (action != NULL)
    gtk_actionable_set_action_name (GTK_ACTIONABLE (button), action);
  if (action != NULL && id != 0)
    gtk_actionable_set_action_target (GTK_ACTIONABLE (button), "x", id);
  return button;
}

static void
update_branches (FacetMessageRow *self)
{
  const FacetStoreMessage *record = facet_message_get_record (self->message);
  guint count = record->sibling_count;
  guint index = record->sibling_index;
  /* Translators: which of several versions of a message is shown, "2 of 3" */
  g_autofree char *text = g_strdup_printf (C_("message versions", "%u of %u"), index + 1, count);

  gtk_widget_set_visible (self->branches, count > 1);
  gtk_label_set_text (GTK_LABEL (self->branch_label), text);
  gtk_widget_set_sensitive (self->back, index > 0);
  gtk_widget_set_sensitive (self->forth, index + 1 < count);
}

static void
growing_cb (FacetMessageRow *self)
{
  g_signal_emit (self, growing_signal, 0);
}

static void
text_changed_cb (FacetMessageRow *self)
{
  const char *text = facet_message_get_text (self->message);

  facet_widget_set_shown (self->body, *text != '\0' && self->editor == NULL);
  if (FACET_IS_MARKDOWN_VIEW (self->body)) {
    gboolean running = facet_message_get_status (self->message) == FACET_MESSAGE_RUNNING;

    facet_markdown_view_set_text (FACET_MARKDOWN_VIEW (self->body), text, !running);
  } else if (GTK_IS_LABEL (self->body)) {
    gtk_label_set_text (GTK_LABEL (self->body), text);
    facet_widget_follow_text (self->body, text);
  }
}

/* A finished check has a verdict on everything: nothing could follow. */
static gboolean
may_go_on (FacetMessage *message)
{
  const FacetStoreMessage *record = facet_message_get_record (message);

  if (!facet_message_is_answer (message) || record->status == FACET_MESSAGE_RUNNING ||
      (record->status == FACET_MESSAGE_DONE && facet_mode_find (record->mode)->judges))
    return FALSE;
  return *facet_message_get_text (message) != '\0' || facet_message_get_calls (message)->len > 0;
}

static void
update_status (FacetMessageRow *self)
{
  const FacetStoreMessage *record = facet_message_get_record (self->message);
  gboolean running = record->status == FACET_MESSAGE_RUNNING;
  gboolean answer = facet_message_is_answer (self->message);
  const char *cut = answer ? facet_message_cut_text (record) : NULL;

  gtk_widget_set_visible (self->progress, running);
  gtk_label_set_text (GTK_LABEL (self->cut), cut != NULL ? cut : "");
  gtk_widget_set_visible (self->cut, cut != NULL);
  gtk_spinner_set_spinning (GTK_SPINNER (self->spinner), running);
  gtk_accessible_update_state (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_STATE_BUSY, running, -1);
  gtk_widget_set_visible (self->toolbar, !running && self->editor == NULL);
  gtk_widget_set_visible (self->edited, record->edited);
  if (self->correct != NULL)
    gtk_widget_set_visible (self->correct, *facet_message_get_text (self->message) != '\0');
  gtk_widget_set_visible (self->regenerate, answer);
  gtk_widget_set_visible (self->go_on, may_go_on (self->message));
  gtk_widget_set_visible (self->failure, record->status == FACET_MESSAGE_FAILED && *record->failure != '\0');
  gtk_label_set_text (GTK_LABEL (self->failure), record->failure);
  facet_message_failure_update (self->failure_details, record);
  gtk_widget_set_visible (self->details, answer && *record->stats != '\0' && record->status != FACET_MESSAGE_FAILED);
  facet_message_details_update (self->details, record);
}

static void
thoughts_changed_cb (FacetMessageRow *self)
{
  gboolean running = facet_message_get_status (self->message) == FACET_MESSAGE_RUNNING;

  facet_message_thoughts_update (self->thoughts, facet_message_get_thoughts (self->message),
                                 running && *facet_message_get_text (self->message) == '\0');
}

static void
calls_changed_cb (FacetMessageRow *self)
{
  facet_message_calls_update (self->calls, facet_message_get_calls (self->message),
                              facet_message_get_status (self->message) == FACET_MESSAGE_RUNNING);
}

static gboolean
forget_notice_cb (gpointer data)
{
  FacetMessageRow *self = data;

  self->notice_timer = 0;
  gtk_widget_set_visible (self->notice, FALSE);
  return G_SOURCE_REMOVE;
}

/* The end is shown as an alert: once, never for each word. The window has it spoken,
 * too (application/facet-announce.h). */
static void
announce (FacetMessageRow *self)
{
  FacetMessageStatus status = facet_message_get_status (self->message);

  g_clear_handle_id (&self->notice_timer, g_source_remove);
  gtk_widget_set_visible (self->notice, FALSE);
  if (status == FACET_MESSAGE_RUNNING || gtk_widget_get_visible (self->cut))
    return;
  gtk_label_set_text (GTK_LABEL (self->notice), facet_message_end_text (status));
  gtk_widget_set_visible (self->notice, TRUE);
  if (status == FACET_MESSAGE_DONE)
    self->notice_timer = g_timeout_add_seconds (NOTICE_SECONDS, forget_notice_cb, self);
}

static void
status_changed_cb (FacetMessageRow *self)
{
  update_status (self);
  text_changed_cb (self);
  thoughts_changed_cb (self);
  calls_changed_cb (self);
  announce (self);
}

/* ---- correcting an answer ----------------------------------------------- */

/* Kept with the message, which may be shown anew. */
static void
revise (FacetMessageRow *self, const char *text)
{
  facet_message_set_revision (self->message, text);
  gtk_widget_activate_action (GTK_WIDGET (self), "chat.revised", NULL);
}

static void
end_editing (FacetMessageRow *self)
{
  gtk_box_remove (GTK_BOX (gtk_widget_get_parent (self->editor)), self->editor);
  self->editor = NULL;
  revise (self, NULL);
  update_status (self);
  text_changed_cb (self);
  gtk_widget_grab_focus (self->correct);
}

/* When it succeeds this row is no longer shown; otherwise the text stays. */
static void
save_cb (FacetMessageRow *self, const char *text)
{
  gtk_widget_activate_action (GTK_WIDGET (self), "chat.correct", "(xs)", facet_message_get_id (self->message), text);
}

static void
open_editor (FacetMessageRow *self, const char *text)
{
  self->editor = facet_answer_editor_new (facet_message_get_text (self->message), text);
  g_signal_connect_swapped (self->editor, "changed", G_CALLBACK (revise), self);
  g_signal_connect_swapped (self->editor, "save", G_CALLBACK (save_cb), self);
  g_signal_connect_swapped (self->editor, "cancel", G_CALLBACK (end_editing), self);
  gtk_box_insert_child_after (GTK_BOX (gtk_widget_get_parent (self->body)), self->editor, self->body);
  update_status (self);
  text_changed_cb (self);
}

static void
correct_cb (FacetMessageRow *self)
{
  open_editor (self, facet_message_get_text (self->message));
  gtk_widget_grab_focus (self->editor);
}

/* ---- construction ------------------------------------------------------- */

/* What a message of a person says does not change. */
static GtkWidget *
question_body (const char *text)
{
  GtkWidget *body;
  GtkTextView *view;

  if (strlen (text) <= LONG_QUESTION)
    return facet_text_label_new ();
  body = facet_long_text_new (text, LONG_HEIGHT);
  view = GTK_TEXT_VIEW (gtk_scrolled_window_get_child (GTK_SCROLLED_WINDOW (body)));
  gtk_text_view_set_wrap_mode (view, GTK_WRAP_WORD_CHAR);
  gtk_widget_set_hexpand (body, TRUE);
  gtk_widget_add_css_class (body, "long-question");
  gtk_accessible_update_property (GTK_ACCESSIBLE (view), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Your message"), -1);
  return body;
}

static GtkWidget *
cut_label (void)
{
  GtkWidget *label = g_object_new (GTK_TYPE_LABEL, "accessible-role", GTK_ACCESSIBLE_ROLE_ALERT, "xalign", 0.0, "wrap", TRUE, NULL);

  gtk_widget_add_css_class (label, "dim-label");
  gtk_widget_add_css_class (label, "caption");
  return label;
}

static GtkWidget *
text_chip (const char *name)
{
  GtkWidget *chip = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  GtkWidget *label = gtk_label_new (name);

  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_MIDDLE);
  gtk_box_append (GTK_BOX (chip), gtk_image_new_from_icon_name ("text-x-generic-symbolic"));
  gtk_box_append (GTK_BOX (chip), label);
  gtk_widget_add_css_class (chip, "chip");
  gtk_widget_set_halign (chip, GTK_ALIGN_START);
  return chip;
}

static void
add_attachments (GtkWidget *box, FacetStore *store, const FacetStoreMessage *record)
{
  for (guint i = 0; record->attachments != NULL && i < record->attachments->len; i++) {
    const FacetStoreAttachment *attachment = record->attachments->pdata[i];
    g_autofree char *path = facet_store_attachment_path (store, attachment);

    switch (attachment->kind) {
    case FACET_ATTACHMENT_IMAGE:
      gtk_box_append (GTK_BOX (box), facet_message_picture_new (path, attachment->name));
      break;
    case FACET_ATTACHMENT_AUDIO:
      gtk_box_append (GTK_BOX (box), facet_message_sound_new (path, attachment->name));
      break;
    case FACET_ATTACHMENT_TEXT:
    default:
      gtk_box_append (GTK_BOX (box), text_chip (attachment->name));
      break;
    }
  }
}

/* Not by their action names, which would make them sensitive at the ends, too. */
static void
show_sibling (FacetMessageRow *self, int step)
{
  const FacetStoreMessage *record = facet_message_get_record (self->message);

  gtk_widget_activate_action (GTK_WIDGET (self), "chat.branch", "(xu)", record->id, record->sibling_index + step);
}

static void
back_cb (FacetMessageRow *self)
{
  show_sibling (self, -1);
}

static void
forth_cb (FacetMessageRow *self)
{
  show_sibling (self, 1);
}

static void
build_branches (FacetMessageRow *self)
{
  self->branches = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 0);
  self->back = icon_button ("go-previous-symbolic", _("Previous Version"), NULL, 0);
  self->forth = icon_button ("go-next-symbolic", _("Next Version"), NULL, 0);
  g_signal_connect_swapped (self->back, "clicked", G_CALLBACK (back_cb), self);
  g_signal_connect_swapped (self->forth, "clicked", G_CALLBACK (forth_cb), self);
  self->branch_label = gtk_label_new (NULL);
  gtk_widget_add_css_class (self->branch_label, "numeric");
  gtk_widget_add_css_class (self->branch_label, "dim-label");
  gtk_box_append (GTK_BOX (self->branches), self->back);
  gtk_box_append (GTK_BOX (self->branches), self->branch_label);
  gtk_box_append (GTK_BOX (self->branches), self->forth);
}

static GtkWidget *
edited_mark (void)
{
  GtkWidget *mark = gtk_label_new (C_("answer", "Edited"));

  gtk_widget_add_css_class (mark, "dim-label");
  gtk_widget_add_css_class (mark, "caption");
  gtk_widget_set_margin_start (mark, 6);
  gtk_widget_set_margin_end (mark, 6);
  gtk_widget_set_tooltip_text (mark, _("You corrected this answer; what the model wrote is kept as another version"));
  return mark;
}

static void
build_toolbar (FacetMessageRow *self)
{
  gint64 id = facet_message_get_id (self->message);
  gboolean answer = facet_message_is_answer (self->message);

  self->toolbar = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 0);
  gtk_widget_add_css_class (self->toolbar, "message-toolbar");
  gtk_widget_set_halign (self->toolbar, answer ? GTK_ALIGN_START : GTK_ALIGN_END);
  build_branches (self);
  self->regenerate = icon_button ("view-refresh-symbolic", _("Answer Again"), "chat.regenerate", id);
  self->go_on = icon_button ("media-seek-forward-symbolic", _("Continue Answer"), "chat.continue", id);
  self->details = facet_message_details_new ();
  self->edited = edited_mark ();
  gtk_box_append (GTK_BOX (self->toolbar), self->branches);
  gtk_box_append (GTK_BOX (self->toolbar), self->edited);
  gtk_box_append (GTK_BOX (self->toolbar), icon_button ("edit-copy-symbolic", _("Copy"), "chat.copy", id));
  if (!answer)
    gtk_box_append (GTK_BOX (self->toolbar),
                    icon_button ("document-edit-symbolic", _("Edit and Ask Again"), "chat.edit", id));
  if (answer) {
    self->correct = icon_button ("document-edit-symbolic", _("Correct Answer"), NULL, 0);
    g_signal_connect_swapped (self->correct, "clicked", G_CALLBACK (correct_cb), self);
    gtk_box_append (GTK_BOX (self->toolbar), self->correct);
  }
  gtk_box_append (GTK_BOX (self->toolbar), self->regenerate);
  gtk_box_append (GTK_BOX (self->toolbar), self->go_on);
  gtk_box_append (GTK_BOX (self->toolbar), icon_button ("user-trash-symbolic", _("Delete"), "chat.delete", id));
  gtk_box_append (GTK_BOX (self->toolbar), self->details);
}

static void
build (FacetMessageRow *self, FacetStore *store)
{
  const FacetStoreMessage *record = facet_message_get_record (self->message);
  gboolean answer = facet_message_is_answer (self->message);
  GtkWidget *outer = gtk_box_new (GTK_ORIENTATION_VERTICAL, 4);
  GtkWidget *bubble = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);

  gtk_widget_add_css_class (bubble, answer ? "answer" : "question");
  add_attachments (bubble, store, record);
  self->body = answer ? facet_markdown_view_new () : question_body (record->text);
  self->spinner = gtk_spinner_new ();
  self->phase = gtk_label_new (NULL);
  gtk_label_set_ellipsize (GTK_LABEL (self->phase), PANGO_ELLIPSIZE_END);
  gtk_widget_add_css_class (self->phase, "dim-label");
  gtk_widget_add_css_class (self->phase, "caption");
  self->progress = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 8);
  gtk_box_append (GTK_BOX (self->progress), self->spinner);
  gtk_box_append (GTK_BOX (self->progress), self->phase);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->spinner), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Answering"), -1);
  self->thoughts = facet_message_thoughts_new ();
  self->calls = facet_message_calls_new ();
  self->cut = cut_label ();
  self->failure = facet_text_label_new ();
  gtk_widget_add_css_class (self->failure, "error");
  self->failure_details = facet_message_failure_new ();
  self->notice = g_object_new (GTK_TYPE_LABEL, "accessible-role", GTK_ACCESSIBLE_ROLE_ALERT, "xalign", 0.0,
                               "wrap", TRUE, "natural-wrap-mode", GTK_NATURAL_WRAP_NONE, "lines", 2, "ellipsize",
                               PANGO_ELLIPSIZE_END, "margin-start", 6, NULL);
  gtk_widget_add_css_class (self->notice, "dim-label");
  gtk_widget_add_css_class (self->notice, "caption");

  gtk_box_append (GTK_BOX (bubble), self->thoughts);
  gtk_box_append (GTK_BOX (bubble), self->calls);
  gtk_box_append (GTK_BOX (bubble), self->body);
  gtk_box_append (GTK_BOX (bubble), self->progress);
  gtk_box_append (GTK_BOX (bubble), self->cut);
  gtk_box_append (GTK_BOX (bubble), self->failure);
  gtk_box_append (GTK_BOX (bubble), self->failure_details);
  gtk_box_append (GTK_BOX (outer), GTK_IS_LABEL (self->body) ? facet_end_bin_new (bubble) : bubble);
  build_toolbar (self);
  gtk_box_append (GTK_BOX (self->toolbar), self->notice);
  gtk_box_append (GTK_BOX (outer), self->toolbar);
  gtk_list_box_row_set_child (GTK_LIST_BOX_ROW (self), outer);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  !answer          ? _("Your message")
                                  : record->edited ? _("Answer, edited")
                                                   : _("Answer"), -1);
}

GtkWidget *
facet_message_row_new (FacetMessage *message, FacetStore *store)
{
  FacetMessageRow *self = g_object_new (FACET_TYPE_MESSAGE_ROW, "activatable", FALSE, NULL);

  self->message = g_object_ref (message);
  build (self, store);
  g_signal_connect_object (self->thoughts, "notify::expanded", G_CALLBACK (thoughts_changed_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (message, "notify::text", G_CALLBACK (text_changed_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (message, "notify::thoughts", G_CALLBACK (thoughts_changed_cb), self, G_CONNECT_SWAPPED);
  g_object_bind_property (message, "phase", self->phase, "label", G_BINDING_SYNC_CREATE);
  g_signal_connect_object (message, "notify::calls", G_CALLBACK (calls_changed_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (message, "notify::status", G_CALLBACK (status_changed_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (message, "notify::siblings", G_CALLBACK (update_branches), self, G_CONNECT_SWAPPED);
  if (FACET_IS_MARKDOWN_VIEW (self->body))
    g_signal_connect_object (self->body, "growing", G_CALLBACK (growing_cb), self, G_CONNECT_SWAPPED);
  update_branches (self);
  update_status (self);
  text_changed_cb (self);
  thoughts_changed_cb (self);
  calls_changed_cb (self);
  gtk_widget_set_visible (self->notice, FALSE);
  if (facet_message_get_status (message) == FACET_MESSAGE_STOPPED)
    announce (self);
  if (facet_message_is_answer (message) && facet_message_get_revision (message) != NULL)
    open_editor (self, facet_message_get_revision (message));
  return GTK_WIDGET (self);
}

static void
facet_message_row_dispose (GObject *object)
{
  FacetMessageRow *self = FACET_MESSAGE_ROW (object);

  g_clear_handle_id (&self->notice_timer, g_source_remove);
  g_clear_object (&self->message);
  G_OBJECT_CLASS (facet_message_row_parent_class)->dispose (object);
}

static void
facet_message_row_class_init (FacetMessageRowClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = facet_message_row_dispose;
  growing_signal = g_signal_new ("growing", FACET_TYPE_MESSAGE_ROW, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
facet_message_row_init (FacetMessageRow *self)
{
  gtk_widget_add_css_class (GTK_WIDGET (self), "message");
}
