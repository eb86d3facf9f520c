#define G_LOG_DOMAIN "facet"

#include "facet-conversation.h"

struct _FacetConversation {
  GObject parent_instance;

  FacetStore *store;
  gint64      chat_id;
  GPtrArray  *messages; /* (element-type FacetMessage) */
};

enum {
  PROP_CHAT_ID = 1,
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

/* Brings the list in line with the store; one items-changed for all that
 * differs, which is a tail. */
static gboolean
reload (FacetConversation *self, GError **error)
{
  g_autoptr (GPtrArray) branch = facet_store_get_branch (self->store, self->chat_id, error);
  guint same = 0;
  guint removed;

  if (branch == NULL)
    return FALSE;

  g_ptr_array_set_free_func (branch, NULL);
  for (guint i = 0; i < branch->len; i++) {
    FacetStoreMessage *record = branch->pdata[i];

    if (same == i && i < self->messages->len && message_id_at (self->messages, i) == record->id) {
      facet_message_update (self->messages->pdata[i], record);
      same++;
    } else {
      branch->pdata[i] = facet_message_new (record);
    }
  }

  removed = self->messages->len - same;
  g_ptr_array_set_size (self->messages, same);
  for (guint i = same; i < branch->len; i++)
    g_ptr_array_add (self->messages, branch->pdata[i]);
  if (removed > 0 || branch->len > same)
    g_list_model_items_changed (G_LIST_MODEL (self), same, removed, branch->len - same);
  return TRUE;
}

static FacetMessage *
find_id (FacetConversation *self, gint64 id)
{
  for (guint i = self->messages->len; i > 0; i--)
    if (message_id_at (self->messages, i - 1) == id)
      return self->messages->pdata[i - 1];
  return NULL;
}

static gboolean
ensure_chat (FacetConversation *self, GError **error)
{
  if (self->chat_id != 0)
    return TRUE;

  self->chat_id = facet_store_add_chat (self->store, NULL, error);
  if (self->chat_id == 0)
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

  self->store = g_object_ref (store);
  return self;
}

FacetConversation *
facet_conversation_open (FacetStore *store, gint64 chat_id, GError **error)
{
  g_autoptr (FacetConversation) self = facet_conversation_new (store);

  self->chat_id = chat_id;
  return reload (self, error) ? g_steal_pointer (&self) : NULL;
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
  };

  return add_message (self, &record, error);
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
