#define G_LOG_DOMAIN "facet"

#include "facet-conversation.h"

struct _FacetConversation {
  GObject parent_instance;

  FacetStore       *store;
  gint64            chat_id;
  GPtrArray        *messages; /* (element-type FacetMessage) */
  FacetChatOptions *options;
};

enum {
  PROP_CHAT_ID = 1,
  PROP_OPTIONS,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

static GType
facet_conversation_get_item_type (GListModel *model)
{
  return FACET_TYPE_MESSAGE;
}

static guint
facet_conversation_get_n_items (GListModel *model)
{
  return FACET_CONVERSATION (model)->messages->len;
}

static gpointer
facet_conversation_get_item (GListModel *model, guint position)
{
  FacetConversation *self = FACET_CONVERSATION (model);

  return position < self->messages->len ? g_object_ref (self->messages->pdata[position]) : NULL;
}

static void
list_model_init (GListModelInterface *iface)
{
  iface->get_item_type = facet_conversation_get_item_type;
  iface->get_n_items = facet_conversation_get_n_items;
  iface->get_item = facet_conversation_get_item;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (FacetConversation, facet_conversation, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL, list_model_init))

static void
facet_conversation_finalize (GObject *object)
{
  FacetConversation *self = FACET_CONVERSATION (object);

  g_clear_object (&self->store);
  g_ptr_array_unref (self->messages);
  g_clear_pointer (&self->options, facet_chat_options_free);
  G_OBJECT_CLASS (facet_conversation_parent_class)->finalize (object);
}

static void
facet_conversation_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  FacetConversation *self = FACET_CONVERSATION (object);

  switch (id) {
  case PROP_CHAT_ID:
    g_value_set_int64 (value, self->chat_id);
    break;
  case PROP_OPTIONS:
    g_value_set_pointer (value, self->options);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
facet_conversation_class_init (FacetConversationClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize = facet_conversation_finalize;
  object_class->get_property = facet_conversation_get_property;

  props[PROP_CHAT_ID] = g_param_spec_int64 ("chat-id", NULL, NULL, 0, G_MAXINT64, 0,
                                            G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  props[PROP_OPTIONS] = g_param_spec_pointer ("options", NULL, NULL, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, props);
}

static void
facet_conversation_init (FacetConversation *self)
{
  self->messages = g_ptr_array_new_with_free_func (g_object_unref);
}

static gint64
message_id_at (GPtrArray *messages, guint index)
{
  return facet_message_get_id (g_ptr_array_index (messages, index));
}

static FacetMessage *
find_id (FacetConversation *self, gint64 id)
{
  for (guint i = self->messages->len; i > 0; i--)
    if (message_id_at (self->messages, i - 1) == id)
      return self->messages->pdata[i - 1];
  return NULL;
}

/* Takes @record, which is at @index now. */
static FacetMessage *
message_for (FacetConversation *self, guint index, FacetStoreMessage *record)
{
  gboolean stays = index < self->messages->len && message_id_at (self->messages, index) == record->id;
  FacetMessage *message = stays ? self->messages->pdata[index] : find_id (self, record->id);

  if (message == NULL)
    return facet_message_new (record);
  facet_message_update (message, record);
  return g_object_ref (message);
}

/* Puts @messages in place; one items-changed for all that differs. */
static void
set_messages (FacetConversation *self, GPtrArray *messages)
{
  g_autoptr (GPtrArray) before = g_steal_pointer (&self->messages);
  guint shorter = MIN (before->len, messages->len);
  guint start = 0, end = 0;

  self->messages = messages;
  while (start < shorter && before->pdata[start] == messages->pdata[start])
    start++;
  while (end < shorter - start && before->pdata[before->len - 1 - end] == messages->pdata[messages->len - 1 - end])
    end++;
  if (before->len > start + end || messages->len > start + end)
    g_list_model_items_changed (G_LIST_MODEL (self), start, before->len - start - end, messages->len - start - end);
}

/* Brings the list in line with the store. */
static gboolean
reload (FacetConversation *self, GError **error)
{
  g_autoptr (GPtrArray) branch = facet_store_get_branch (self->store, self->chat_id, error);
  GPtrArray *messages;

  if (branch == NULL)
    return FALSE;
  messages = g_ptr_array_new_with_free_func (g_object_unref);
  g_ptr_array_set_free_func (branch, NULL);
  for (guint i = 0; i < branch->len; i++)
    g_ptr_array_add (messages, message_for (self, i, branch->pdata[i]));
  set_messages (self, messages);
  return TRUE;
}

/* ---- choices and draft -------------------------------------------------- */

static gboolean
load_options (FacetConversation *self, GError **error)
{
  g_autofree char *json = facet_store_get_options (self->store, self->chat_id, error);

  if (json == NULL)
    return FALSE;
  self->options = facet_chat_options_parse (json);
  return TRUE;
}

static gboolean
save_options (FacetConversation *self, GError **error)
{
  g_autofree char *json = facet_chat_options_write (self->options);

  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_OPTIONS]);
  return facet_store_set_options (self->store, self->chat_id, json, error);
}

const FacetChatOptions *
facet_conversation_get_options (FacetConversation *self)
{
  return self->options;
}

gboolean
facet_conversation_set_mode (FacetConversation *self, const char *mode, GError **error)
{
  if (g_str_equal (self->options->mode, mode))
    return TRUE;
  g_free (self->options->mode);
  self->options->mode = g_strdup (mode);
  return save_options (self, error);
}

gboolean
facet_conversation_set_tools (FacetConversation *self, gboolean tools, GError **error)
{
  if (self->options->tools == tools)
    return TRUE;
  self->options->tools = tools;
  return save_options (self, error);
}

gboolean
facet_conversation_set_thinking (FacetConversation *self, gboolean thinking, GError **error)
{
  if (self->options->thinking == thinking)
    return TRUE;
  self->options->thinking = thinking;
  return save_options (self, error);
}

gboolean
facet_conversation_allow_tool (FacetConversation *self, const char *tool, GError **error)
{
  if (tool == NULL)
    g_ptr_array_set_size (self->options->allowed, 0);
  else if (facet_chat_options_allows (self->options, tool))
    return TRUE;
  else
    g_ptr_array_add (self->options->allowed, g_strdup (tool));
  return save_options (self, error);
}

char *
facet_conversation_get_draft (FacetConversation *self, GError **error)
{
  return facet_store_get_draft (self->store, self->chat_id, error);
}

gboolean
facet_conversation_set_draft (FacetConversation *self, const char *draft, GError **error)
{
  return facet_store_set_draft (self->store, self->chat_id, draft, error);
}

gboolean
facet_conversation_save_revisions (FacetConversation *self, GError **error)
{
  for (guint i = 0; i < self->messages->len; i++)
    if (!facet_message_save_revision (self->messages->pdata[i], self->store, error))
      return FALSE;
  return TRUE;
}

/* What was chosen for the new chat becomes its own. */
static gboolean
leave_new_chat (FacetConversation *self, GError **error)
{
  FacetChatOptions next = { .mode = (char *) "", .tools = self->options->tools, .thinking = self->options->thinking };
  g_autoptr (GPtrArray) none = g_ptr_array_new ();
  g_autofree char *json = NULL;

  next.allowed = none;
  json = facet_chat_options_write (&next);
  return save_options (self, error) && facet_store_set_options (self->store, 0, json, error) &&
         facet_store_set_draft (self->store, 0, "", error);
}

/* ---- messages ----------------------------------------------------------- */

static gboolean
ensure_chat (FacetConversation *self, GError **error)
{
  if (self->chat_id != 0)
    return TRUE;

  self->chat_id = facet_store_add_chat (self->store, NULL, error);
  if (self->chat_id == 0 || !leave_new_chat (self, error))
    return FALSE;
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_CHAT_ID]);
  return TRUE;
}

static FacetMessage *
add_message (FacetConversation *self, FacetStoreMessage *record, GError **error)
{
  gint64 id;

  if (!ensure_chat (self, error))
    return NULL;
  record->chat_id = self->chat_id;
  id = facet_store_add_message (self->store, record, error);
  if (id == 0 || !reload (self, error))
    return NULL;
  return find_id (self, id);
}

FacetConversation *
facet_conversation_new (FacetStore *store)
{
  FacetConversation *self = g_object_new (FACET_TYPE_CONVERSATION, NULL);
  g_autoptr (GError) error = NULL;

  self->store = g_object_ref (store);
  if (!load_options (self, &error)) {
    g_warning ("the choices for a new chat cannot be read: %s", error->message);
    self->options = facet_chat_options_parse ("");
  }
  return self;
}

FacetConversation *
facet_conversation_open (FacetStore *store, gint64 chat_id, GError **error)
{
  g_autoptr (FacetConversation) self = g_object_new (FACET_TYPE_CONVERSATION, NULL);

  self->store = g_object_ref (store);
  self->chat_id = chat_id;
  return load_options (self, error) && reload (self, error) ? g_steal_pointer (&self) : NULL;
}

FacetStore *
facet_conversation_get_store (FacetConversation *self)
{
  return self->store;
}

gint64
facet_conversation_get_chat_id (FacetConversation *self)
{
  return self->chat_id;
}

guint
facet_conversation_get_length (FacetConversation *self)
{
  return self->messages->len;
}

FacetMessage *
facet_conversation_get_message (FacetConversation *self, guint index)
{
  return index < self->messages->len ? self->messages->pdata[index] : NULL;
}

FacetMessage *
facet_conversation_get_last (FacetConversation *self)
{
  return self->messages->len > 0 ? self->messages->pdata[self->messages->len - 1] : NULL;
}

int
facet_conversation_find (FacetConversation *self, FacetMessage *message)
{
  guint index;

  return g_ptr_array_find (self->messages, message, &index) ? (int) index : -1;
}

FacetMessage *
facet_conversation_ask (FacetConversation *self,
                        const char        *text,
                        GPtrArray         *attachments,
                        const char        *mode,
                        FacetMessage      *instead_of,
                        GError           **error)
{
  FacetMessage *last = facet_conversation_get_last (self);
  FacetStoreMessage record = {
    .role = FACET_STORE_ROLE_USER,
    .status = FACET_MESSAGE_DONE,
    .text = (char *) text,
    .mode = (char *) mode,
    .attachments = attachments,
  };

  if (instead_of != NULL)
    record.parent_id = facet_message_get_record (instead_of)->parent_id;
  else if (last != NULL)
    record.parent_id = facet_message_get_id (last);
  return add_message (self, &record, error);
}

FacetMessage *
facet_conversation_begin_answer (FacetConversation *self,
                                 FacetMessage      *question,
                                 const char        *model,
                                 GError           **error)
{
  FacetStoreMessage record = {
    .role = FACET_STORE_ROLE_MODEL,
    .status = FACET_MESSAGE_RUNNING,
    .parent_id = facet_message_get_id (question),
    .model = (char *) model,
    .mode = facet_message_get_record (question)->mode,
  };

  return add_message (self, &record, error);
}

FacetMessage *
facet_conversation_correct (FacetConversation *self, FacetMessage *answer, const char *text, GError **error)
{
  const FacetStoreMessage *old = facet_message_get_record (answer);
  /* Places in a text that is gone: all move to the beginning. */
  g_autoptr (GPtrArray) calls = facet_call_records_parse (old->calls, "");
  g_autofree char *json = facet_call_records_write (calls);
  FacetStoreMessage record = {
    .role = FACET_STORE_ROLE_MODEL,
    .status = FACET_MESSAGE_DONE,
    .text = (char *) text,
    .model = old->model,
    .mode = old->mode,
    .calls = json,
    .edited = TRUE,
  };
  gint64 id = facet_store_correct_message (self->store, old->id, &record, error);

  return id != 0 && reload (self, error) ? find_id (self, id) : NULL;
}

gboolean
facet_conversation_uncorrect (FacetConversation *self, gint64 correction, gint64 original, GError **error)
{
  return facet_store_uncorrect_message (self->store, correction, original, error) && reload (self, error);
}

gboolean
facet_conversation_show_sibling (FacetConversation *self, FacetMessage *message, guint index, GError **error)
{
  return facet_store_show_sibling (self->store, facet_message_get_id (message), index, error) != 0 &&
         reload (self, error);
}

gboolean
facet_conversation_set_deleted (FacetConversation *self, gint64 message_id, gboolean deleted, GError **error)
{
  return facet_store_set_message_deleted (self->store, message_id, deleted, error) && reload (self, error);
}
