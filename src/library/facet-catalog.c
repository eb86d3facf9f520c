#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <json-glib/json-glib.h>
#include <string.h>
#include <unistd.h>

#include "facet-catalog.h"
#include "facet-settings.h"

#define RESOURCE "/io/github/facet_desktop/Facet/models.json"

struct _FacetCatalogModel {
  GObject      parent_instance;

  char        *id;
  char        *name;
  char        *licence;
  char        *terms;
  FacetSenses  senses;
  guint        memory;
  gboolean     needs_gpu;
  GPtrArray   *files;
};

G_DEFINE_FINAL_TYPE (FacetCatalogModel, facet_catalog_model, G_TYPE_OBJECT)

static void
file_free (gpointer data)
{
  FacetCatalogFile *file = data;

  g_free (file->name);
  g_free (file->url);
  g_free (file->sha256);
  g_free (file);
}

static void
facet_catalog_model_finalize (GObject *object)
{
  FacetCatalogModel *self = FACET_CATALOG_MODEL (object);

  g_free (self->id);
  g_free (self->name);
  g_free (self->licence);
  g_free (self->terms);
  g_ptr_array_unref (self->files);
  G_OBJECT_CLASS (facet_catalog_model_parent_class)->finalize (object);
}

static void
facet_catalog_model_class_init (FacetCatalogModelClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = facet_catalog_model_finalize;
}

static void
facet_catalog_model_init (FacetCatalogModel *self)
{
  self->files = g_ptr_array_new_with_free_func (file_free);
}

const char *
facet_catalog_model_get_id (FacetCatalogModel *self)
{
  return self->id;
}

const char *
facet_catalog_model_get_name (FacetCatalogModel *self)
{
  return self->name;
}

const char *
facet_catalog_model_get_licence (FacetCatalogModel *self)
{
  return self->licence;
}

const char *
facet_catalog_model_get_terms (FacetCatalogModel *self)
{
  return self->terms;
}

FacetSenses
facet_catalog_model_get_senses (FacetCatalogModel *self)
{
  return self->senses;
}

guint
facet_catalog_model_get_memory (FacetCatalogModel *self)
{
  return self->memory;
}

gboolean
facet_catalog_model_needs_gpu (FacetCatalogModel *self)
{
  return self->needs_gpu;
}

GPtrArray *
facet_catalog_model_get_files (FacetCatalogModel *self)
{
  return self->files;
}

GPtrArray *
facet_catalog_model_pick (FacetCatalogModel *self, int precision)
{
  GPtrArray *picked = g_ptr_array_new ();
  FacetCatalogFile *model = NULL;

  for (guint i = 0; i < self->files->len; i++) {
    FacetCatalogFile *file = self->files->pdata[i];

    if (!file->is_projector && file->url != NULL
        && (model == NULL || ABS (file->precision - precision) < ABS (model->precision - precision)))
      model = file;
  }
  if (model != NULL)
    g_ptr_array_add (picked, model);
  for (guint i = 0; model != NULL && i < self->files->len; i++) {
    FacetCatalogFile *file = self->files->pdata[i];

    if (file->is_projector && file->url != NULL)
      g_ptr_array_add (picked, file);
  }
  return picked;
}

static char *
get_string (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node && json_node_get_value_type (node) == G_TYPE_STRING ? json_node_dup_string (node) : NULL;
}

static gint64
get_number (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node && json_node_get_value_type (node) == G_TYPE_INT64 ? MAX (0, json_node_get_int (node)) : 0;
}

static JsonArray *
get_array (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
}

static int
find_name (const char *const *names, const char *name)
{
  for (int i = 0; names[i] != NULL; i++) {
    if (g_strcmp0 (names[i], name) == 0)
      return i;
  }
  return -1;
}

static FacetCatalogFile *
parse_file (JsonNode *node)
{
  static const char *const precisions[] = { "smallest", "balanced", "best", NULL };
  JsonObject *object = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  g_autofree char *role = object ? get_string (object, "role") : NULL;
  g_autofree char *precision = object ? get_string (object, "precision") : NULL;
  g_autofree char *name = object ? get_string (object, "name") : NULL;
  FacetCatalogFile *file;

  if (role == NULL || name == NULL || *name == '.' || strchr (name, '/') != NULL)
    return NULL;
  file = g_new0 (FacetCatalogFile, 1);
  file->is_projector = g_str_equal (role, "projector");
  file->precision = MAX (0, find_name (precisions, precision));
  file->name = g_steal_pointer (&name);
  file->url = get_string (object, "url");
  file->sha256 = get_string (object, "sha256");
  file->size = get_number (object, "size");
  return file;
}

static FacetCatalogModel *
parse_model (JsonNode *node, GError **error)
{
  static const char *const senses[] = { "text", "images", "sound", NULL };
  JsonObject *object = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  JsonArray *files = object ? get_array (object, "files") : NULL;
  JsonArray *sensed = object ? get_array (object, "senses") : NULL;
  g_autoptr (FacetCatalogModel) self = g_object_new (FACET_TYPE_CATALOG_MODEL, NULL);

  for (guint i = 0; sensed != NULL && i < json_array_get_length (sensed); i++) {
    int sense = find_name (senses, json_array_get_string_element (sensed, i));

    self->senses |= sense < 0 ? 0 : 1 << sense;
  }
  for (guint i = 0; files != NULL && i < json_array_get_length (files); i++) {
    FacetCatalogFile *file = parse_file (json_array_get_element (files, i));

    if (file != NULL)
      g_ptr_array_add (self->files, file);
  }
  self->id = object ? get_string (object, "id") : NULL;
  self->name = object ? get_string (object, "name") : NULL;
  self->licence = object ? get_string (object, "licence") : NULL;
  self->terms = object ? get_string (object, "terms") : NULL;
  self->memory = object ? get_number (object, "memory_gib") : 0;
  self->needs_gpu = object && json_object_get_boolean_member_with_default (object, "needs_gpu", FALSE);
  if (self->id == NULL || self->name == NULL || self->licence == NULL || self->terms == NULL || self->files->len == 0) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "models.json: model \"%s\" is incomplete", self->id);
    return NULL;
  }
  return g_steal_pointer (&self);
}

GListModel *
facet_catalog_parse (const char *json, gssize length, GError **error)
{
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  g_autoptr (GListStore) store = g_list_store_new (FACET_TYPE_CATALOG_MODEL);
  JsonNode *root;
  JsonArray *models;

  if (!json_parser_load_from_data (parser, json, length, error))
    return NULL;
  root = json_parser_get_root (parser);
  models = root && JSON_NODE_HOLDS_OBJECT (root) ? get_array (json_node_get_object (root), "models") : NULL;
  if (models == NULL) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "models.json: no list of models");
    return NULL;
  }
  for (guint i = 0; i < json_array_get_length (models); i++) {
    g_autoptr (FacetCatalogModel) model = parse_model (json_array_get_element (models, i), error);

    if (model == NULL)
      return NULL;
    g_list_store_append (store, model);
  }
  return G_LIST_MODEL (g_steal_pointer (&store));
}

GListModel *
facet_catalog_load (GError **error)
{
  g_autoptr (GBytes) bytes = g_resources_lookup_data (RESOURCE, G_RESOURCE_LOOKUP_FLAGS_NONE, error);

  return bytes ? facet_catalog_parse (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), error) : NULL;
}

FacetCatalogModel *
facet_catalog_recommend (GListModel *catalog, guint64 memory, gboolean gpu, FacetSenses senses)
{
  FacetCatalogModel *best = NULL;

  for (guint i = 0; i < g_list_model_get_n_items (catalog); i++) {
    g_autoptr (FacetCatalogModel) model = g_list_model_get_item (catalog, i);
    g_autoptr (GPtrArray) files = facet_catalog_model_pick (model, FACET_PRECISION_BALANCED);

    if (files->len > 0 && (model->senses & senses) == senses && (guint64) model->memory << 30 <= memory
        && (gpu || !model->needs_gpu))
      best = model;
  }
  return best;
}

guint64
facet_catalog_machine_memory (void)
{
  long pages = sysconf (_SC_PHYS_PAGES);
  long size = sysconf (_SC_PAGE_SIZE);

  return pages > 0 && size > 0 ? (guint64) pages * size : 0;
}
