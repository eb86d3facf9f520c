#include "tools/schema.h"

#include <string.h>

#include "facet.h"

#define ALL_TYPES (FACET_TYPE_STRING | FACET_TYPE_NUMBER | FACET_TYPE_BOOLEAN | FACET_TYPE_NULL | FACET_TYPE_ARRAY | FACET_TYPE_OBJECT)

const FacetSchema facet_schema_any = { .types = ALL_TYPES, .items = &facet_schema_any, .extra = &facet_schema_any };

static const char *const keywords[]
    = { "type", "properties", "required", "enum", "items", "additionalProperties",
        "description", "title", "default", "examples", "$schema", "$comment", "format", NULL };

static FacetSchema *compile (const FacetJson *json, const char *where, int depth, GError **error);

static gboolean
fail (GError **error, const char *where, const char *what)
{
  g_set_error (error, FACET_ERROR, FACET_ERROR_INVALID, "schema, %s: %s", where[0] != '\0' ? where : "top", what);
  return FALSE;
}

gboolean
facet_schema_name_ok (const char *name)
{
  gsize length = strlen (name);

  return length > 0 && length <= FACET_SCHEMA_MAX_NAME && strspn (name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-.") == length;
}

static guint
type_named (const FacetJson *json)
{
  static const char *const names[] = { "string", "number", "integer", "boolean", "null", "array", "object" };

  for (guint i = 0; json->kind == FACET_JSON_STRING && i < G_N_ELEMENTS (names); i++)
    if (g_str_equal (json->text, names[i]))
      return 1u << i;
  return 0;
}

static gboolean
compile_types (FacetSchema *schema, const FacetJson *type, const char *where, GError **error)
{
  schema->types = 0;
  if (type->kind != FACET_JSON_ARRAY)
    schema->types = type_named (type);
  for (guint i = 0; type->kind == FACET_JSON_ARRAY && i < type->items->len; i++) {
    guint one = type_named (g_ptr_array_index (type->items, i));

    if (one == 0)
      return fail (error, where, "unknown type");
    schema->types |= one;
  }
  return schema->types != 0 || fail (error, where, "unknown type");
}

static int
by_bytes (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* Written into calls as they are, whatever the syntax. */
static gboolean
is_plain (const char *text)
{
  for (; *text != '\0'; text++)
    if ((guchar) *text < 0x20 || *text == '"' || *text == '\\')
      return FALSE;
  return TRUE;
}

static gboolean
compile_choices (FacetSchema *schema, const FacetJson *list, const char *where, GError **error)
{
  FacetJsonKind kind;

  if (list->kind != FACET_JSON_ARRAY || list->items->len == 0 || list->items->len > FACET_SCHEMA_MAX_CHOICES)
    return fail (error, where, "enum is no list of 1 to 256 values");
  kind = ((const FacetJson *) g_ptr_array_index (list->items, 0))->kind;
  schema->choices = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < list->items->len; i++) {
    const FacetJson *item = g_ptr_array_index (list->items, i);

    if (item->kind != kind || (kind != FACET_JSON_STRING && kind != FACET_JSON_NUMBER) || (kind == FACET_JSON_STRING && !is_plain (item->text)))
      return fail (error, where, "enum takes strings without quotes, backslashes and control characters, or numbers");
    if (g_ptr_array_find_with_equal_func (schema->choices, item->text, g_str_equal, NULL))
      return fail (error, where, "enum has a value twice");
    g_ptr_array_add (schema->choices, g_strdup (item->text));
  }
  g_ptr_array_sort (schema->choices, by_bytes);
  schema->types &= kind == FACET_JSON_STRING ? FACET_TYPE_STRING : FACET_TYPE_NUMBER | FACET_TYPE_INTEGER;
  return schema->types != 0 || fail (error, where, "enum and type contradict each other");
}

static gboolean
compile_properties (FacetSchema *schema, const FacetJson *properties, const char *where, int depth, GError **error)
{
  if (properties->kind != FACET_JSON_OBJECT || properties->items->len > FACET_SCHEMA_MAX_PROPERTIES)
    return fail (error, where, "properties is no object of at most 64 members");
  for (guint i = 0; i < properties->names->len; i++) {
    if (!facet_schema_name_ok (g_ptr_array_index (properties->names, i)))
      return fail (error, where, "a property's name is empty, longer than 64 bytes or has other signs than letters, digits, “_”, “-” and “.”");
    g_ptr_array_add (schema->names, g_strdup (g_ptr_array_index (properties->names, i)));
  }
  g_ptr_array_sort (schema->names, by_bytes);
  for (guint i = 0; i < schema->names->len; i++) {
    const char *name = g_ptr_array_index (schema->names, i);
    g_autofree char *inner = g_strdup_printf ("%s/%s", where, name);
    FacetSchema *property = compile (facet_json_member (properties, name), inner, depth + 1, error);

    if (property == NULL)
      return FALSE;
    g_ptr_array_add (schema->properties, property);
  }
  return TRUE;
}

static gboolean
compile_required (FacetSchema *schema, const FacetJson *required, const char *where, GError **error)
{
  if (required->kind != FACET_JSON_ARRAY)
    return fail (error, where, "required is no list");
  for (guint i = 0; i < required->items->len; i++) {
    const FacetJson *item = g_ptr_array_index (required->items, i);
    guint index;

    if (item->kind != FACET_JSON_STRING || !g_ptr_array_find_with_equal_func (schema->names, item->text, g_str_equal, &index))
      return fail (error, where, "required names no property");
    schema->required |= G_GUINT64_CONSTANT (1) << index;
  }
  return TRUE;
}

/* TRUE, FALSE or a schema. */
static gboolean
compile_extra (FacetSchema *schema, const FacetJson *extra, const char *where, int depth, GError **error)
{
  g_autofree char *inner = g_strdup_printf ("%s/additionalProperties", where);

  if (extra->kind == FACET_JSON_BOOLEAN) {
    schema->extra = extra->boolean ? &facet_schema_any : NULL;
    return TRUE;
  }
  return (schema->extra = compile (extra, inner, depth + 1, error)) != NULL;
}

static gboolean
compile_keywords (FacetSchema *schema, const FacetJson *json, const char *where, int depth, GError **error)
{
  const FacetJson *type = facet_json_member (json, "type"), *choices = facet_json_member (json, "enum");
  const FacetJson *items = facet_json_member (json, "items"), *properties = facet_json_member (json, "properties");
  const FacetJson *required = facet_json_member (json, "required"), *extra = facet_json_member (json, "additionalProperties");
  g_autofree char *inner = g_strdup_printf ("%s/items", where);

  if (type != NULL && !compile_types (schema, type, where, error))
    return FALSE;
  if (choices != NULL && !compile_choices (schema, choices, where, error))
    return FALSE;
  if (items != NULL && (schema->items = compile (items, inner, depth + 1, error)) == NULL)
    return FALSE;
  if (properties != NULL && !compile_properties (schema, properties, where, depth, error))
    return FALSE;
  if (required != NULL && !compile_required (schema, required, where, error))
    return FALSE;
  if (properties != NULL)
    schema->extra = NULL;
  return extra == NULL || compile_extra (schema, extra, where, depth, error);
}

static FacetSchema *
compile (const FacetJson *json, const char *where, int depth, GError **error)
{
  g_autoptr (FacetSchema) schema = NULL;

  if (json->kind != FACET_JSON_OBJECT || depth == FACET_SCHEMA_MAX_DEPTH) {
    fail (error, where, depth == FACET_SCHEMA_MAX_DEPTH ? "more than 8 levels" : "no object");
    return NULL;
  }
  for (guint i = 0; i < json->names->len; i++)
    if (!g_strv_contains (keywords, g_ptr_array_index (json->names, i))) {
      g_autofree char *what = g_strdup_printf ("the keyword “%s” is not supported", (char *) g_ptr_array_index (json->names, i));

      fail (error, where, what);
      return NULL;
    }
  schema = g_new (FacetSchema, 1);
  *schema = facet_schema_any;
  schema->names = g_ptr_array_new_with_free_func (g_free);
  schema->properties = g_ptr_array_new_with_free_func ((GDestroyNotify) facet_schema_free);
  if (!compile_keywords (schema, json, where, depth, error))
    return NULL;
  return g_steal_pointer (&schema);
}

FacetSchema *
facet_schema_compile (const FacetJson *json, GError **error)
{
  return compile (json, "", 0, error);
}

void
facet_schema_free (FacetSchema *schema)
{
  if (schema == NULL || schema == &facet_schema_any)
    return;
  g_clear_pointer (&schema->choices, g_ptr_array_unref);
  g_clear_pointer (&schema->names, g_ptr_array_unref);
  g_clear_pointer (&schema->properties, g_ptr_array_unref);
  if (schema->items != &facet_schema_any)
    facet_schema_free ((FacetSchema *) schema->items);
  if (schema->extra != &facet_schema_any)
    facet_schema_free ((FacetSchema *) schema->extra);
  g_free (schema);
}
