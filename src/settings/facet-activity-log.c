#define G_LOG_DOMAIN "facet"

#include "facet-activity-log.h"

/* Older entries fall out; a session opens far fewer. */
#define MAX_ENTRIES 1000

struct _FacetActivity {
  GObject           parent_instance;

  FacetActivityKind kind;
  char             *target;
  guint             count;
  gint64            time;
};

G_DEFINE_FINAL_TYPE (FacetActivity, facet_activity, G_TYPE_OBJECT)

static void
facet_activity_finalize (GObject *object)
{
  g_free (FACET_ACTIVITY (object)->target);
  G_OBJECT_CLASS (facet_activity_parent_class)->finalize (object);
}

static void
facet_activity_class_init (FacetActivityClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = facet_activity_finalize;
}

static void
facet_activity_init (FacetActivity *self)
{
}

FacetActivityKind
facet_activity_get_kind (FacetActivity *self)
{
  g_return_val_if_fail (FACET_IS_ACTIVITY (self), FACET_ACTIVITY_READ);

  return self->kind;
}

const char *
facet_activity_get_target (FacetActivity *self)
{
  g_return_val_if_fail (FACET_IS_ACTIVITY (self), NULL);

  return self->target;
}

guint
facet_activity_get_count (FacetActivity *self)
{
  g_return_val_if_fail (FACET_IS_ACTIVITY (self), 0);

  return self->count;
}

gint64
facet_activity_get_time (FacetActivity *self)
{
  g_return_val_if_fail (FACET_IS_ACTIVITY (self), 0);

  return self->time;
}

struct _FacetActivityLog {
  GObject    parent_instance;

  GPtrArray *entries; /* FacetActivity, oldest first */
};

static void list_model_init (GListModelInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (FacetActivityLog, facet_activity_log, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL, list_model_init))

static GType
get_item_type (GListModel *model)
{
  return FACET_TYPE_ACTIVITY;
}

static guint
get_n_items (GListModel *model)
{
  return FACET_ACTIVITY_LOG (model)->entries->len;
}

static gpointer
get_item (GListModel *model, guint position)
{
  GPtrArray *entries = FACET_ACTIVITY_LOG (model)->entries;

  return position < entries->len ? g_object_ref (entries->pdata[entries->len - 1 - position]) : NULL;
}

static void
list_model_init (GListModelInterface *iface)
{
  iface->get_item_type = get_item_type;
  iface->get_n_items = get_n_items;
  iface->get_item = get_item;
}

static void
facet_activity_log_finalize (GObject *object)
{
  g_ptr_array_unref (FACET_ACTIVITY_LOG (object)->entries);
  G_OBJECT_CLASS (facet_activity_log_parent_class)->finalize (object);
}

static void
facet_activity_log_class_init (FacetActivityLogClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = facet_activity_log_finalize;
}

static void
facet_activity_log_init (FacetActivityLog *self)
{
  self->entries = g_ptr_array_new_with_free_func (g_object_unref);
}

FacetActivityLog *
facet_activity_log_get_default (void)
{
  static FacetActivityLog *log;

  if (log == NULL)
    log = g_object_new (FACET_TYPE_ACTIVITY_LOG, NULL);
  return log;
}

/* Takes the entry of that target out of the list, or makes a new one. */
static FacetActivity *
take_entry (FacetActivityLog *self, FacetActivityKind kind, const char *target)
{
  FacetActivity *entry;

  for (guint i = self->entries->len; i-- > 0;) {
    entry = self->entries->pdata[i];
    if (entry->kind == kind && g_str_equal (entry->target, target)) {
      guint position = self->entries->len - 1 - i;

      g_ptr_array_steal_index (self->entries, i);
      g_list_model_items_changed (G_LIST_MODEL (self), position, 1, 0);
      return entry;
    }
  }
  entry = g_object_new (FACET_TYPE_ACTIVITY, NULL);
  entry->kind = kind;
  entry->target = g_strdup (target);
  return entry;
}

static gboolean
append_cb (gpointer data)
{
  FacetActivityLog *self = facet_activity_log_get_default ();
  FacetActivity *given = data;
  FacetActivity *entry = take_entry (self, given->kind, given->target);

  entry->count++;
  entry->time = given->time;
  g_ptr_array_add (self->entries, entry);
  g_list_model_items_changed (G_LIST_MODEL (self), 0, 0, 1);
  if (self->entries->len > MAX_ENTRIES) {
    g_ptr_array_remove_index (self->entries, 0);
    g_list_model_items_changed (G_LIST_MODEL (self), self->entries->len, 1, 0);
  }
  return G_SOURCE_REMOVE;
}

static char *
strip_address (const char *address)
{
  g_autoptr (GUri) uri = g_uri_parse (address, G_URI_FLAGS_ENCODED, NULL);

  if (uri == NULL || g_uri_get_host (uri) == NULL)
    return g_strdup (address);
  return g_uri_join (G_URI_FLAGS_ENCODED, g_uri_get_scheme (uri), NULL, g_uri_get_host (uri), g_uri_get_port (uri),
                     g_uri_get_path (uri), NULL, NULL);
}

void
facet_activity_log_add (FacetActivityKind kind, const char *target)
{
  FacetActivity *entry;

  g_return_if_fail (target != NULL);

  entry = g_object_new (FACET_TYPE_ACTIVITY, NULL);
  entry->kind = kind;
  entry->target = kind == FACET_ACTIVITY_NETWORK ? strip_address (target) : g_filename_display_name (target);
  entry->time = g_get_real_time ();
  g_idle_add_full (G_PRIORITY_DEFAULT_IDLE, append_cb, entry, g_object_unref);
}
