#define G_LOG_DOMAIN "facet-store"

#include "facet-chat-private.h"

struct _FacetChat {
  GObject          parent_instance;

  FacetChatRecord *record;
};

enum {
  PROP_0,
  PROP_ID,
  PROP_TITLE,
  PROP_PINNED,
  PROP_CREATED,
  PROP_UPDATED,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (FacetChat, facet_chat, G_TYPE_OBJECT)

static void
facet_chat_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  FacetChat *self = FACET_CHAT (object);

  switch (id) {
  case PROP_ID:
    g_value_set_int64 (value, self->record->id);
    break;
  case PROP_TITLE:
    g_value_set_string (value, self->record->title);
    break;
  case PROP_PINNED:
    g_value_set_boolean (value, self->record->pinned);
    break;
  case PROP_CREATED:
    g_value_set_int64 (value, self->record->created);
    break;
  case PROP_UPDATED:
    g_value_set_int64 (value, self->record->updated);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
facet_chat_finalize (GObject *object)
{
  facet_chat_record_free (FACET_CHAT (object)->record);
  G_OBJECT_CLASS (facet_chat_parent_class)->finalize (object);
}

static void
facet_chat_class_init (FacetChatClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  object_class->get_property = facet_chat_get_property;
  object_class->finalize = facet_chat_finalize;
  properties[PROP_ID] = g_param_spec_int64 ("id", NULL, NULL, 0, G_MAXINT64, 0, flags);
  properties[PROP_TITLE] = g_param_spec_string ("title", NULL, NULL, "", flags);
  properties[PROP_PINNED] = g_param_spec_boolean ("pinned", NULL, NULL, FALSE, flags);
  properties[PROP_CREATED] = g_param_spec_int64 ("created", NULL, NULL, 0, G_MAXINT64, 0, flags);
  properties[PROP_UPDATED] = g_param_spec_int64 ("updated", NULL, NULL, 0, G_MAXINT64, 0, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
facet_chat_init (FacetChat *self)
{
  self->record = g_new0 (FacetChatRecord, 1);
}

FacetChat *
facet_chat_new (FacetChatRecord *record)
{
  FacetChat *self = g_object_new (FACET_TYPE_CHAT, NULL);

  facet_chat_record_free (self->record);
  self->record = record;
  return self;
}

void
facet_chat_update (FacetChat *self, FacetChatRecord *record)
{
  g_autoptr (FacetChatRecord) old = self->record;

  self->record = record;
  if (g_strcmp0 (old->title, record->title) != 0)
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_TITLE]);
  if (old->pinned != record->pinned)
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_PINNED]);
  if (old->updated != record->updated)
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_UPDATED]);
}

gint64
facet_chat_get_id (FacetChat *self)
{
  g_return_val_if_fail (FACET_IS_CHAT (self), 0);

  return self->record->id;
}

const char *
facet_chat_get_title (FacetChat *self)
{
  g_return_val_if_fail (FACET_IS_CHAT (self), NULL);

  return self->record->title;
}

gboolean
facet_chat_get_pinned (FacetChat *self)
{
  g_return_val_if_fail (FACET_IS_CHAT (self), FALSE);

  return self->record->pinned;
}

gint64
facet_chat_get_updated (FacetChat *self)
{
  g_return_val_if_fail (FACET_IS_CHAT (self), 0);

  return self->record->updated;
}
