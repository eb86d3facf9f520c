#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>

#include "facet-window-private.h"

#include "application/facet-announce.h"
#include "chat/facet-message-details.h"
#include "service/facet-error-text.h"
#include "settings/facet-settings.h"

G_DEFINE_FINAL_TYPE (FacetWindow, facet_window, ADW_TYPE_APPLICATION_WINDOW)

void
facet_window_say (FacetWindow *self, const char *sentence)
{
  g_autofree char *escaped = g_markup_escape_text (sentence, -1);

  adw_toast_overlay_add_toast (self->toasts, adw_toast_new (escaped));
}

void
_facet_window_offer_undo (FacetWindow *self, const char *sentence, const char *action, GVariant *target)
{
  AdwToast *toast = adw_toast_new (sentence);

  adw_toast_set_button_label (toast, _("_Undo"));
  adw_toast_set_action_name (toast, action);
  adw_toast_set_action_target_value (toast, target);
  adw_toast_overlay_add_toast (self->toasts, toast);
}

gboolean
_facet_window_check_free (FacetWindow *self, gint64 chat_id, GError **error)
{
  if (!facet_replier_is_running (self->replier)
      || facet_conversation_get_chat_id (facet_replier_get_conversation (self->replier)) != chat_id)
    return TRUE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_BUSY, _("Stop the answer first."));
  return FALSE;
}

static void
update_title (FacetWindow *self)
{
  FacetChat *chat = _facet_window_get_chat (self);
  const FacetLoaded *loaded = facet_engine_service_get_loaded (self->service);
  const char *title = chat != NULL ? facet_chat_get_title (chat) : "";

  adw_window_title_set_title (self->title, *title != '\0' ? title : _("New Chat"));
  adw_window_title_set_subtitle (self->title, loaded != NULL ? loaded->name : "");
  gtk_widget_set_visible (self->chat_button, chat != NULL);
}

static void
update_page (FacetWindow *self)
{
  const FacetLoaded *loaded = facet_engine_service_get_loaded (self->service);
  gboolean empty = facet_conversation_get_length (self->conversation) == 0;
  const char *label;

  gtk_stack_set_visible_child (self->pages, empty ? GTK_WIDGET (self->welcome) : self->view);
  if (loaded != NULL) {
    g_autofree char *description = NULL;

    if (loaded->judges)
      description = g_strdup (_("This model says whether a picture violates a policy. Drop a picture here, choose the policies beside the "
                                "message, and send it. The model does not chat."));
    else if (loaded->parameters < G_GUINT64_CONSTANT (1000000000))
      /* Translators: %s is the name of a model */
      description = g_strdup_printf (_("%s is a very small model: quick, but often wrong. "
                                       "A larger one gives far better answers."), loaded->name);
    else
      description = g_strdup (_("Everything stays on this computer."));
    adw_status_page_set_description (self->welcome, description);
    label = _("Get a _Better Model");
  } else {
    adw_status_page_set_description (self->welcome, _("Answers come from a model on this computer; nothing leaves it."));
    label = _("_Choose a Model");
  }
  /* The same again would be spoken again. */
  if (g_strcmp0 (gtk_button_get_label (GTK_BUTTON (self->welcome_button)), label) != 0)
    gtk_button_set_label (GTK_BUTTON (self->welcome_button), label);
  gtk_widget_set_visible (self->sample_chart, loaded != NULL && loaded->sees && !loaded->judges);
  gtk_widget_set_visible (self->sample_voice, loaded != NULL && loaded->hears);
  gtk_widget_set_visible (self->welcome_button,
                          loaded == NULL || (loaded->parameters < G_GUINT64_CONSTANT (1000000000) && !loaded->judges));
}

static void
items_changed_cb (FacetWindow *self)
{
  update_page (self);
  update_title (self);
  _facet_window_update_meter (self);
}

/* The machine does not fall asleep over an answer or a recording. */
static void
update_inhibition (FacetWindow *self)
{
  GtkApplication *application = gtk_window_get_application (GTK_WINDOW (self));
  gboolean recording = facet_composer_is_recording (self->composer);
  gboolean wanted = recording || facet_replier_is_running (self->replier);

  if (application == NULL || wanted == (self->inhibited != 0))
    return;
  if (wanted) {
    self->inhibited = gtk_application_inhibit (application, GTK_WINDOW (self), GTK_APPLICATION_INHIBIT_SUSPEND,
                                               recording ? _("A voice note is being recorded")
                                                         : _("An answer is being written"));
  } else {
    gtk_application_uninhibit (application, self->inhibited);
    self->inhibited = 0;
  }
}

static void
running_cb (FacetWindow *self)
{
  facet_composer_set_running (self->composer, facet_replier_is_running (self->replier));
  _facet_window_update_meter (self);
  update_inhibition (self);
  if (facet_replier_is_running (self->replier))
    facet_announce (GTK_WINDOW (self), "");
}

static void
finished_cb (FacetWindow *self, FacetMessage *message)
{
  const char *cut = facet_message_cut_text (facet_message_get_record (message));

  facet_announce (GTK_WINDOW (self), cut != NULL ? cut : facet_message_end_text (facet_message_get_status (message)));
}

static void
composer_changed_cb (FacetWindow *self)
{
  _facet_window_update_meter (self);
  update_inhibition (self);
}

void
_facet_window_set_editing (FacetWindow *self, FacetMessage *message)
{
  _facet_window_save_draft (self);
  if (self->editing != NULL && self->editing != message)
    _facet_window_forget_revision (self, self->editing);
  g_set_object (&self->editing, message);
  facet_composer_set_editing (self->composer, message != NULL);
  if (message != NULL)
    facet_composer_set_text (self->composer, facet_message_get_text (message));
  else
    _facet_window_show_draft (self);
  facet_composer_focus (self->composer);
  if (message != NULL)
    facet_announce (GTK_WINDOW (self), _("Editing an earlier message"));
}

static void
cancel_edit_cb (FacetWindow *self)
{
  _facet_window_set_editing (self, NULL);
}

void
_facet_window_show_conversation (FacetWindow *self, FacetConversation *conversation)
{
  _facet_window_leave_conversation (self);
  if (self->conversation != NULL)
    g_signal_handlers_disconnect_by_data (self->conversation, self);
  g_clear_object (&self->editing);
  facet_composer_set_editing (self->composer, FALSE);
  g_set_object (&self->conversation, conversation);
  g_signal_connect_object (conversation, "items-changed", G_CALLBACK (items_changed_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (conversation, "notify::chat-id", G_CALLBACK (_facet_window_select_chat), self,
                           G_CONNECT_SWAPPED);
  _facet_window_enter_conversation (self);
  facet_chat_view_set_conversation (FACET_CHAT_VIEW (self->view), conversation);
  items_changed_cb (self);
  _facet_window_select_chat (self);
}

void
_facet_window_new_chat (FacetWindow *self)
{
  g_autoptr (FacetConversation) conversation = facet_conversation_new (self->store);

  _facet_window_show_conversation (self, conversation);
  adw_leaflet_set_visible_child (self->leaflet, self->content);
  facet_composer_focus (self->composer);
}

FacetConversation *
_facet_window_find_conversation (FacetWindow *self, gint64 chat_id, GError **error)
{
  /* a chat that is being answered or asked lives on unseen */
  FacetConversation *alive[] = { self->conversation, facet_replier_get_conversation (self->replier), self->asking };

  for (gsize i = 0; i < G_N_ELEMENTS (alive); i++)
    if (alive[i] != NULL && facet_conversation_get_chat_id (alive[i]) == chat_id)
      return g_object_ref (alive[i]);
  return facet_conversation_open (self->store, chat_id, error);
}

void
facet_window_open_chat (FacetWindow *self, gint64 chat_id)
{
  g_autoptr (FacetConversation) conversation = NULL;
  g_autoptr (GError) error = NULL;

  adw_leaflet_set_visible_child (self->leaflet, self->content);
  if (facet_conversation_get_chat_id (self->conversation) == chat_id)
    return;
  conversation = _facet_window_find_conversation (self, chat_id, &error);
  if (conversation == NULL) {
    facet_window_say (self, error->message);
    return;
  }
  _facet_window_show_conversation (self, conversation);
}

void
facet_window_attach (FacetWindow *self, GFile *file)
{
  facet_composer_add_file (self->composer, file);
}

/* ---- the engine --------------------------------------------------------- */

static void
state_cb (FacetWindow *self)
{
  const FacetLoaded *loaded = facet_engine_service_get_loaded (self->service);
  gboolean loading = facet_engine_service_get_state (self->service) == FACET_ENGINE_LOADING;

  if (loading) {
    gtk_label_set_text (self->loading_label, _("Loading the model…"));
    gtk_progress_bar_set_fraction (self->loading_bar, 0);
    gtk_widget_set_visible (GTK_WIDGET (self->loading_bar), TRUE);
  }
  if (loading || loaded != NULL)
    gtk_revealer_set_reveal_child (self->loading, loading);
  facet_composer_set_ready (self->composer, loaded != NULL);
  facet_composer_set_senses (self->composer, loaded != NULL && loaded->sees, loaded != NULL && loaded->hears,
                             loaded != NULL && loaded->judges);
  _facet_window_update_choices (self);
  items_changed_cb (self);
}

static void
load_progress_cb (FacetWindow *self, double fraction)
{
  if (fraction < 0)
    gtk_progress_bar_pulse (self->loading_bar);
  else
    gtk_progress_bar_set_fraction (self->loading_bar, fraction);
}

static void
load_failed_cb (FacetWindow *self, const GError *error)
{
  g_message ("the model could not be loaded: %s", error->message);
  if (g_error_matches (error, FACET_ERROR, FACET_ERROR_CANCELLED))
    return;
  gtk_label_set_text (self->loading_label, facet_error_text (error));
  gtk_widget_set_visible (GTK_WIDGET (self->loading_bar), FALSE);
  gtk_revealer_set_reveal_child (self->loading, TRUE);
  facet_announce (GTK_WINDOW (self), facet_error_text (error));
}

/* Stays until it was read: it is told once. */
void
facet_window_tell (FacetWindow *self, const char *sentence)
{
  gtk_label_set_text (self->notice_label, sentence);
  gtk_revealer_set_reveal_child (self->notice, TRUE);
  facet_announce (GTK_WINDOW (self), sentence);
}

static void
notice_cb (FacetWindow *self, int notice)
{
  facet_window_tell (self, facet_notice_text (notice));
}

static void
store_waiting_cb (FacetWindow *self, gboolean waiting)
{
  const char *sentence = _("Another program is using the file with your chats. What is new is saved as soon as it lets go of it.");

  if (waiting)
    facet_window_tell (self, sentence);
  else if (g_str_equal (gtk_label_get_text (self->notice_label), sentence))
    gtk_revealer_set_reveal_child (self->notice, FALSE);
}

static void
loaded_cb (FacetWindow *self)
{
  const FacetLoaded *loaded = facet_engine_service_get_loaded (self->service);
  g_autofree char *sentence = NULL;

  if (loaded->missing_device == NULL)
    return;
  /* Translators: %s is the name of a graphics device */
  sentence = g_strdup_printf (_("The graphics device “%s” is not there; Facet has chosen by itself what computes."),
                              loaded->missing_device);
  facet_window_tell (self, sentence);
}

static void
dismiss_cb (FacetWindow *self)
{
  gtk_revealer_set_reveal_child (self->notice, FALSE);
}

/* ---- construction ------------------------------------------------------- */

static void
stop_cb (FacetWindow *self)
{
  facet_replier_stop (self->replier);
}

static void
recover_recordings (FacetWindow *self, const char *recordings)
{
  guint n = facet_composer_recover (self->composer, recordings);

  if (n > 0)
    facet_window_say (self, ngettext ("A recording that was not sent is attached again.",
                                      "Recordings that were not sent are attached again.", n));
}

static void
build_content (FacetWindow *self)
{
  g_autofree char *recordings = g_build_filename (facet_store_get_directory (self->store), "recordings", NULL);

  self->view = facet_chat_view_new ();
  gtk_stack_add_child (self->pages, self->view);
  self->composer = facet_composer_new (self->settings, recordings);
  gtk_box_append (GTK_BOX (self->content), GTK_WIDGET (self->composer));
  facet_composer_accept_drops (self->composer, self->content);
  g_signal_connect_swapped (self->composer, "send", G_CALLBACK (_facet_window_ask), self);
  g_signal_connect_swapped (self->composer, "stop", G_CALLBACK (stop_cb), self);
  g_signal_connect_swapped (self->composer, "changed", G_CALLBACK (composer_changed_cb), self);
  g_signal_connect_swapped (self->composer, "cancel-edit", G_CALLBACK (cancel_edit_cb), self);
  _facet_window_setup_choices (self);
  _facet_window_setup_removed (self);
  recover_recordings (self, recordings);
}

FacetWindow *
facet_window_new (GtkApplication     *application,
                  FacetStore         *store,
                  FacetEngineService *service,
                  FacetModelLibrary  *library,
                  GSettings          *settings)
{
  FacetWindow *self = g_object_new (FACET_TYPE_WINDOW, "application", application, NULL);

  self->store = g_object_ref (store);
  self->service = g_object_ref (service);
  self->library = g_object_ref (library);
  self->settings = g_object_ref (settings);
  self->replier = facet_replier_new (service, settings);
  gtk_window_set_default_size (GTK_WINDOW (self), g_settings_get_int (settings, "window-width"),
                               g_settings_get_int (settings, "window-height"));
  g_settings_bind (settings, "window-width", self, "default-width", G_SETTINGS_BIND_SET);
  g_settings_bind (settings, "window-height", self, "default-height", G_SETTINGS_BIND_SET);
  g_settings_bind (settings, "window-maximized", self, "maximized", G_SETTINGS_BIND_DEFAULT);

  build_content (self);
  _facet_window_add_chat_actions (self);
  _facet_window_setup_chats (self);
  g_signal_connect_object (self->replier, "notify::running", G_CALLBACK (running_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->replier, "finished", G_CALLBACK (finished_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->replier, "notify::question", G_CALLBACK (_facet_window_update_question), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (service, "notify::state", G_CALLBACK (state_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (service, "notify::loaded", G_CALLBACK (_facet_window_reset_meter), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (service, "loaded", G_CALLBACK (loaded_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (service, "load-progress", G_CALLBACK (load_progress_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (service, "load-failed", G_CALLBACK (load_failed_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_swapped (self->notice_close, "clicked", G_CALLBACK (dismiss_cb), self);
  g_signal_connect_object (service, "notice", G_CALLBACK (notice_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (store, "waiting", G_CALLBACK (store_waiting_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (store, "chat-changed", G_CALLBACK (update_title), self, G_CONNECT_SWAPPED);
  _facet_window_new_chat (self);
  state_cb (self);
  return self;
}

static void
facet_window_dispose (GObject *object)
{
  FacetWindow *self = FACET_WINDOW (object);

  _facet_window_end_changes (self);
  _facet_window_save_draft (self);
  _facet_window_stop_meter (self);
  if (self->service != NULL && self->title_job != 0)
    facet_engine_service_forget (self->service, self->title_job);
  self->title_job = 0;
  g_cancellable_cancel (self->searching);
  g_clear_object (&self->searching);
  g_clear_object (&self->chooser);
  if (self->title_text != NULL)
    g_string_free (g_steal_pointer (&self->title_text), TRUE);
  if (self->replier != NULL)
    g_object_run_dispose (G_OBJECT (self->replier));
  g_clear_object (&self->replier);
  g_clear_pointer (&self->unsent, g_hash_table_unref);
  g_clear_pointer (&self->removed, g_hash_table_unref);
  g_clear_object (&self->editing);
  g_clear_object (&self->asking);
  g_clear_object (&self->conversation);
  g_clear_object (&self->chat_list);
  g_clear_object (&self->library);
  g_clear_object (&self->service);
  g_clear_object (&self->store);
  g_clear_object (&self->settings);
  G_OBJECT_CLASS (facet_window_parent_class)->dispose (object);
}

static void
facet_window_class_init (FacetWindowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = facet_window_dispose;
  gtk_widget_class_set_template_from_resource (widget_class, "/io/github/facet_desktop/Facet/facet-window.ui");
  gtk_widget_class_bind_template_child (widget_class, FacetWindow, toasts);
  gtk_widget_class_bind_template_child (widget_class, FacetWindow, leaflet);
  gtk_widget_class_bind_template_child (widget_class, FacetWindow, sidebar);
  gtk_widget_class_bind_template_child (widget_class, FacetWindow, content);
  gtk_widget_class_bind_template_child (widget_class, FacetWindow, search);
  gtk_widget_class_bind_template_child (widget_class, FacetWindow, lists);
  gtk_widget_class_bind_template_child (widget_class, FacetWindow, chats);
  gtk_widget_class_bind_template_child (widget_class, FacetWindow, hits);
  gtk_widget_class_bind_template_child (widget_class, FacetWindow, title);
  gtk_widget_class_bind_template_child (widget_class, FacetWindow, chat_button);
  gtk_widget_class_bind_template_child (widget_class, FacetWindow, notice);
  gtk_widget_class_bind_template_child (widget_class, FacetWindow, notice_label);
  gtk_widget_class_bind_template_child (widget_class, FacetWindow, notice_close);
  gtk_widget_class_bind_template_child (widget_class, FacetWindow, loading);
  gtk_widget_class_bind_template_child (widget_class, FacetWindow, loading_label);
  gtk_widget_class_bind_template_child (widget_class, FacetWindow, loading_bar);
  gtk_widget_class_bind_template_child (widget_class, FacetWindow, pages);
  gtk_widget_class_bind_template_child (widget_class, FacetWindow, welcome);
  gtk_widget_class_bind_template_child (widget_class, FacetWindow, welcome_button);
  gtk_widget_class_bind_template_child (widget_class, FacetWindow, sample_chart);
  gtk_widget_class_bind_template_child (widget_class, FacetWindow, sample_voice);
  _facet_window_install_actions (klass);
}

static void
facet_window_init (FacetWindow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  _facet_window_add_stop_key (self);
}
