#define G_LOG_DOMAIN "facet-store"

#include "facet-chat-list.h"

#include "facet-chat-private.h"

struct _FacetChatList {
  GObject     parent_instance;

  FacetStore *store;
  GPtrArray  *chats; /* FacetChat, in the list's order */
};

static void list_model_init (GListModelInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (FacetChatList, facet_chat_list, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL, list_model_init))

static GType
get_item_type (GListModel *model)
{
  return FACET_TYPE_CHAT;
}

static guint
get_n_items (GListModel *model)
{
  return FACET_CHAT_LIST (model)->chats->len;
}

static gpointer
get_item (GListModel *model, guint position)
{
  FacetChatList *self = FACET_CHAT_LIST (model);

  return position < self->chats->len ? g_object_ref (self->chats->pdata[position]) : NULL;
}

static void
list_model_init (GListModelInterface *iface)
{
  iface->get_item_type = get_item_type;
  iface->get_n_items = get_n_items;
  iface->get_item = get_item;
}

static gboolean
comes_before (FacetChat *a, FacetChat *b)
{
  if (facet_chat_get_pinned (a) != facet_chat_get_pinned (b))
    return facet_chat_get_pinned (a);
  if (facet_chat_get_updated (a) != facet_chat_get_updated (b))
    return facet_chat_get_updated (a) > facet_chat_get_updated (b);
  return facet_chat_get_id (a) > facet_chat_get_id (b);
}

/* Where @chat belongs among the others. */
static guint
place_of (FacetChatList *self, FacetChat *chat)
{
  guint place = 0;

  for (guint i = 0; i < self->chats->len; i++) {
    if (self->chats->pdata[i] != chat && comes_before (self->chats->pdata[i], chat))
      place++;
  }
  return place;
}

static gboolean
find (FacetChatList *self, gint64 chat_id, guint *position)
{
  for (guint i = 0; i < self->chats->len; i++) {
    if (facet_chat_get_id (self->chats->pdata[i]) == chat_id) {
      *position = i;
      return TRUE;
    }
  }
  return FALSE;
}

FacetChat *
facet_chat_list_find (FacetChatList *self, gint64 chat_id)
{
  guint position;

  g_return_val_if_fail (FACET_IS_CHAT_LIST (self), NULL);

  return find (self, chat_id, &position) ? self->chats->pdata[position] : NULL;
}

static void
chat_added_cb (FacetStore *store, gint64 chat_id, FacetChatList *self)
{
  FacetChatRecord *record;
  FacetChat *chat;
  guint place;

  record = find (self, chat_id, &place) ? NULL : facet_store_get_chat (store, chat_id, NULL);
  if (record == NULL)
    return;
  chat = facet_chat_new (record);
  place = place_of (self, chat);
  g_ptr_array_insert (self->chats, place, chat);
  g_list_model_items_changed (G_LIST_MODEL (self), place, 0, 1);
}

static void
chat_removed_cb (FacetStore *store, gint64 chat_id, FacetChatList *self)
{
  guint position;

  if (!find (self, chat_id, &position))
    return;
  g_ptr_array_remove_index (self->chats, position);
  g_list_model_items_changed (G_LIST_MODEL (self), position, 1, 0);
}

static void
chat_changed_cb (FacetStore *store, gint64 chat_id, FacetChatList *self)
{
  FacetChatRecord *record;
  FacetChat *chat;
  guint position;
  guint place;

  record = find (self, chat_id, &position) ? facet_store_get_chat (store, chat_id, NULL) : NULL;
  if (record == NULL)
    return;
  chat = self->chats->pdata[position];
  facet_chat_update (chat, record);
  place = place_of (self, chat);
  if (place == position)
    return;
  g_ptr_array_steal_index (self->chats, position);
  g_list_model_items_changed (G_LIST_MODEL (self), position, 1, 0);
  g_ptr_array_insert (self->chats, place, chat);
  g_list_model_items_changed (G_LIST_MODEL (self), place, 0, 1);
}

static void
facet_chat_list_finalize (GObject *object)
{
  FacetChatList *self = FACET_CHAT_LIST (object);

  g_signal_handlers_disconnect_by_data (self->store, self);
  g_object_unref (self->store);
  g_ptr_array_unref (self->chats);
  G_OBJECT_CLASS (facet_chat_list_parent_class)->finalize (object);
}

static void
facet_chat_list_class_init (FacetChatListClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = facet_chat_list_finalize;
}

static void
facet_chat_list_init (FacetChatList *self)
{
  self->chats = g_ptr_array_new_with_free_func (g_object_unref);
}

FacetChatList *
facet_chat_list_new (FacetStore *store)
{
  FacetChatList *self;
  g_autoptr (GPtrArray) records = NULL;

  g_return_val_if_fail (FACET_IS_STORE (store), NULL);

  self = g_object_new (FACET_TYPE_CHAT_LIST, NULL);
  self->store = g_object_ref (store);
  g_signal_connect (store, "chat-added", G_CALLBACK (chat_added_cb), self);
  g_signal_connect (store, "chat-changed", G_CALLBACK (chat_changed_cb), self);
  g_signal_connect (store, "chat-removed", G_CALLBACK (chat_removed_cb), self);
  records = facet_store_list_chats (store, NULL);
  while (records != NULL && records->len > 0)
    g_ptr_array_add (self->chats, facet_chat_new (g_ptr_array_steal_index (records, 0)));
  return self;
}
