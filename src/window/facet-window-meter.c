#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>

#include "facet-window-private.h"
#include "modes/facet-mode.h"

#define SETTLE_MS 250

/* One count at a time: first what each new attachment adds, which is asked once
 * per model, then everything else. */

static void count_next (FacetWindow *self);

static GListModel *
attachments (FacetWindow *self)
{
  return facet_composer_get_attachments (self->composer);
}

/* ---- an attachment ------------------------------------------------------ */

static void
add_attachment (FacetRequest *request, FacetAttachment *attachment)
{
  GBytes *bytes = facet_attachment_get_bytes (attachment);
  const char *name = facet_attachment_get_name (attachment);
  gsize size;
  const char *text = g_bytes_get_data (bytes, &size);
  g_autofree char *quoted = NULL;

  switch (facet_attachment_get_kind (attachment)) {
  case FACET_ATTACHMENT_IMAGE:
    facet_request_add_bytes (request, FACET_PART_PICTURE, bytes, name);
    break;
  case FACET_ATTACHMENT_AUDIO:
    facet_request_add_bytes (request, FACET_PART_SOUND, bytes, name);
    break;
  case FACET_ATTACHMENT_TEXT:
  default:
    quoted = facet_mode_quote_file (name, text, (gssize) size);
    facet_request_add_text (request, quoted);
    break;
  }
}

static void
add_attachments (FacetWindow *self, FacetRequest *request)
{
  for (guint i = 0; i < g_list_model_get_n_items (attachments (self)); i++) {
    g_autoptr (FacetAttachment) attachment = g_list_model_get_item (attachments (self), i);

    if (facet_attachment_get_state (attachment) == FACET_ATTACHMENT_READY)
      add_attachment (request, attachment);
  }
}

/* A short question, with @attachment or (NULL) without: the difference is what
 * the attachment costs. */
static FacetRequest *
probe (FacetAttachment *attachment)
{
  FacetRequest *request = facet_request_new ();

  facet_request_begin_turn (request, FACET_ROLE_USER);
  if (attachment != NULL)
    add_attachment (request, attachment);
  facet_request_add_text (request, "?");
  return request;
}

static gboolean
is_sensed (FacetWindow *self, FacetAttachment *attachment)
{
  const FacetLoaded *loaded = facet_engine_service_get_loaded (self->service);

  switch (facet_attachment_get_kind (attachment)) {
  case FACET_ATTACHMENT_IMAGE:
    return loaded->sees;
  case FACET_ATTACHMENT_AUDIO:
    return loaded->hears;
  case FACET_ATTACHMENT_TEXT:
  default:
    return TRUE;
  }
}

/* Returns: (transfer full) (nullable): the first one whose cost is unknown. */
static FacetAttachment *
find_uncounted (FacetWindow *self)
{
  for (guint i = 0; i < g_list_model_get_n_items (attachments (self)); i++) {
    g_autoptr (FacetAttachment) attachment = g_list_model_get_item (attachments (self), i);

    if (facet_attachment_get_state (attachment) == FACET_ATTACHMENT_READY &&
        facet_attachment_get_tokens (attachment) < 0 && is_sensed (self, attachment))
      return g_steal_pointer (&attachment);
  }
  return NULL;
}

static void
bare_counted_cb (int tokens, int cached, const GError *error, gpointer data)
{
  FacetWindow *self = data;

  self->count_job = 0;
  self->bare_tokens = error == NULL ? tokens : 0;
  if (error == NULL)
    count_next (self);
}

static void
attachment_counted_cb (int tokens, int cached, const GError *error, gpointer data)
{
  FacetWindow *self = data;
  g_autoptr (FacetAttachment) attachment = g_steal_pointer (&self->counted);

  self->count_job = 0;
  if (error != NULL)
    g_message ("an attachment could not be counted: %s", error->message);
  facet_attachment_set_tokens (attachment, error == NULL ? MAX (0, tokens - self->bare_tokens) : 0);
  count_next (self);
}

/* ---- the whole ---------------------------------------------------------- */

/* The names of what lies beyond the context, in the order of the message. */
static char *
name_overflow (FacetWindow *self, int base, int context, int *total)
{
  g_autoptr (GString) names = g_string_new (NULL);

  *total = base;
  for (guint i = 0; i < g_list_model_get_n_items (attachments (self)); i++) {
    g_autoptr (FacetAttachment) attachment = g_list_model_get_item (attachments (self), i);
    int tokens = MAX (0, facet_attachment_get_tokens (attachment));

    *total += tokens;
    if (*total < context || tokens == 0)
      continue;
    /* Translators: between the names of files in a list */
    g_string_append (names, names->len > 0 ? C_("list of files", ", ") : "");
    /* Translators: name of a file, and its number of tokens */
    g_string_append_printf (names, ngettext ("“%s” (%d token)", "“%s” (%d tokens)", tokens),
                            facet_attachment_get_name (attachment), tokens);
  }
  return g_string_free (g_steal_pointer (&names), FALSE);
}

/* With what an edited message keeps. */
static gboolean
holds_only (FacetWindow *self, FacetAttachmentKind kind)
{
  const GPtrArray *kept = self->editing != NULL ? facet_message_get_record (self->editing)->attachments : NULL;

  for (guint i = 0; i < g_list_model_get_n_items (attachments (self)); i++) {
    g_autoptr (FacetAttachment) attachment = g_list_model_get_item (attachments (self), i);

    if (facet_attachment_get_kind (attachment) != kind)
      return FALSE;
  }
  for (guint i = 0; kept != NULL && i < kept->len; i++)
    if (((const FacetStoreAttachment *) kept->pdata[i])->kind != kind)
      return FALSE;
  return TRUE;
}

static gboolean
has_mode (FacetWindow *self, const char *id)
{
  return g_str_equal (facet_composer_get_mode (self->composer)->id, id);
}

/* Recordings that are written down are heard one part after the other, each
 * beside the instruction alone: their length has no limit. */
static gboolean
is_transcription (FacetWindow *self)
{
  return g_list_model_get_n_items (attachments (self)) > 0 && holds_only (self, FACET_ATTACHMENT_AUDIO) &&
         (has_mode (self, "transcribe") || has_mode (self, "translate") || has_mode (self, "summarise"));
}

/* Neither has that of a text which is summarised. */
static gboolean
is_read_in_parts (FacetWindow *self)
{
  return has_mode (self, "summarise") && holds_only (self, FACET_ATTACHMENT_TEXT);
}

static void
show_transcription (FacetWindow *self)
{
  g_autofree char *text = NULL;
  g_autofree char *brief = NULL;
  int tokens = 0;

  for (guint i = 0; i < g_list_model_get_n_items (attachments (self)); i++) {
    g_autoptr (FacetAttachment) attachment = g_list_model_get_item (attachments (self), i);

    tokens += MAX (0, facet_attachment_get_tokens (attachment));
  }
  text = g_strdup_printf (ngettext ("%d token, heard in parts", "%d tokens, heard in parts", tokens), tokens);
  brief = g_strdup_printf ("%d", tokens);
  facet_composer_set_meter (self->composer, tokens > 0 ? text : "", tokens > 0 ? brief : "", NULL);
}

static void
check_counted_cb (int tokens, int cached, const GError *error, gpointer data)
{
  FacetWindow *self = data;
  g_autofree char *text = g_strdup_printf (ngettext ("%d token, read in parts", "%d tokens, read in parts", tokens), tokens);
  g_autofree char *brief = g_strdup_printf ("%d", tokens);

  self->count_job = 0;
  if (error != NULL)
    g_debug ("the check could not be counted: %s", error->message);
  facet_composer_set_meter (self->composer, tokens > 0 ? text : "", tokens > 0 ? brief : "", NULL);
}

/* What helps when the message needs more than there is. @names: the files that no longer fit; NULL:
 * not even the text does. The context length can be raised up to what the model was made for. */
static char *
advise (const FacetLoaded *loaded, const char *names, int total)
{
  gboolean may_grow = loaded->context < loaded->most_context;

  if (names == NULL)
    return g_strdup_printf (may_grow ? _("The conversation and this message need %d tokens, but the model takes in %d at once. "
                                         "Shorten the message, start a new chat, or raise the context length in the preferences.")
                                     : _("The conversation and this message need %d tokens, but the model takes in %d at once. "
                                         "Shorten the message or start a new chat."),
                            total, loaded->context);
  /* Translators: %s is a list of files; then numbers of tokens */
  return g_strdup_printf (may_grow ? _("This no longer fits: %s. With it %d tokens are needed, but the model takes in %d at "
                                       "once. Remove it, start a new chat, or raise the context length in the preferences.")
                                   /* Translators: %s is a list of files; then numbers of tokens */
                                   : _("This no longer fits: %s. With it %d tokens are needed, but the model takes in %d at "
                                       "once. Remove it or start a new chat."),
                          names, total, loaded->context);
}

static void
counted_cb (int base, int cached, const GError *error, gpointer data)
{
  FacetWindow *self = data;
  const FacetLoaded *loaded = facet_engine_service_get_loaded (self->service);
  g_autofree char *names = NULL;
  g_autofree char *text = NULL;
  g_autofree char *brief = NULL;
  g_autofree char *sentence = NULL;
  int total;

  self->count_job = 0;
  if (error != NULL || loaded == NULL) {
    if (error != NULL)
      g_debug ("the message could not be counted: %s", error->message);
    facet_composer_set_meter (self->composer, "", "", NULL);
    return;
  }
  names = name_overflow (self, base, loaded->context, &total);
  brief = g_strdup_printf ("%d ∕ %d", total, loaded->context);
  if (total >= loaded->context && is_read_in_parts (self)) {
    text = g_strdup_printf (ngettext ("%d token, read in parts", "%d tokens, read in parts", total), total);
    facet_composer_set_meter (self->composer, text, brief, NULL);
    return;
  }
  /* Translators: numbers of tokens: used, and available */
  text = g_strdup_printf (_("%d of %d tokens"), total, loaded->context);
  if (total >= loaded->context)
    sentence = advise (loaded, base >= loaded->context ? NULL : names, total);
  facet_composer_set_meter (self->composer, text, brief, sentence);
}

static void
count_rest (FacetWindow *self)
{
  g_autofree char *text = facet_composer_get_text (self->composer);
  g_autofree char *choice = facet_mode_choice (facet_composer_get_mode (self->composer), self->settings);
  gboolean drafted = *text != '\0' || g_list_model_get_n_items (attachments (self)) > 0;
  FacetMessage *last = facet_conversation_get_last (self->conversation);
  g_autoptr (FacetRequest) request = NULL;
  GPtrArray *kept = NULL;

  if (is_transcription (self)) {
    show_transcription (self);
    return;
  }
  if (self->editing != NULL) {
    int place = facet_conversation_find (self->conversation, self->editing);

    last = place > 0 ? facet_conversation_get_message (self->conversation, (guint) place - 1) : NULL;
    kept = facet_message_get_record (self->editing)->attachments;
  }
  /* each picture and policy is a prompt of its own, whatever was said before */
  if (facet_composer_get_mode (self->composer)->judges)
    last = NULL;
  if (!drafted && last == NULL) {
    facet_composer_set_meter (self->composer, "", "", NULL);
    return;
  }
  request = facet_replier_build_request (self->replier, self->conversation, last, drafted ? text : NULL, choice, kept);
  if (request->policies != NULL)
    add_attachments (self, request);
  self->count_job = facet_engine_service_count (self->service, request, request->policies != NULL ? check_counted_cb : counted_cb, self);
}

static void
count_next (FacetWindow *self)
{
  g_autoptr (FacetAttachment) uncounted = find_uncounted (self);
  g_autoptr (FacetRequest) request = NULL;

  if (uncounted == NULL) {
    count_rest (self);
  } else if (self->bare_tokens == 0) {
    request = probe (NULL);
    self->count_job = facet_engine_service_count (self->service, request, bare_counted_cb, self);
  } else {
    request = probe (uncounted);
    self->counted = g_steal_pointer (&uncounted);
    self->count_job = facet_engine_service_count (self->service, request, attachment_counted_cb, self);
  }
}

static gboolean
count_cb (gpointer data)
{
  FacetWindow *self = data;

  self->count_timer = 0;
  if (facet_engine_service_get_loaded (self->service) == NULL || facet_replier_is_running (self->replier))
    return G_SOURCE_REMOVE;
  _facet_window_stop_meter (self);
  count_next (self);
  return G_SOURCE_REMOVE;
}

void
_facet_window_stop_meter (FacetWindow *self)
{
  g_clear_handle_id (&self->count_timer, g_source_remove);
  if (self->count_job != 0)
    facet_engine_service_forget (self->service, self->count_job);
  self->count_job = 0;
  g_clear_object (&self->counted);
}

void
_facet_window_update_meter (FacetWindow *self)
{
  if (self->conversation == NULL)
    return;
  g_clear_handle_id (&self->count_timer, g_source_remove);
  self->count_timer = g_timeout_add (SETTLE_MS, count_cb, self);
}

void
_facet_window_reset_meter (FacetWindow *self)
{
  self->bare_tokens = 0;
  for (guint i = 0; i < g_list_model_get_n_items (attachments (self)); i++) {
    g_autoptr (FacetAttachment) attachment = g_list_model_get_item (attachments (self), i);

    facet_attachment_set_tokens (attachment, -1);
  }
  _facet_window_update_meter (self);
}
