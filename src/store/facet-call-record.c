#define G_LOG_DOMAIN "facet-store"

#include <json-glib/json-glib.h>
#include <string.h>

#include "facet-call-record.h"

#define MAX_RECORDS 1024

static const char *const states[] = { "open", "done", "failed", "denied", "stopped", NULL };

FacetCallRecord *
facet_call_record_new (const char *tool, const char *arguments, gsize offset, guint round)
{
  FacetCallRecord *record = g_new0 (FacetCallRecord, 1);

  record->tool = g_strdup (tool);
  record->arguments = g_strdup (arguments);
  record->result = g_strdup ("");
  record->offset = offset;
  record->round = round;
  return record;
}

void
facet_call_record_free (FacetCallRecord *record)
{
  g_free (record->tool);
  g_free (record->arguments);
  g_free (record->result);
  g_free (record);
}

/* ---- reading ---- */

static const char *
get_string (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && json_node_get_value_type (node) == G_TYPE_STRING ? json_node_get_string (node) : NULL;
}

static guint64
get_number (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);
  gint64 value = node != NULL && json_node_get_value_type (node) == G_TYPE_INT64 ? json_node_get_int (node) : 0;

  return (guint64) CLAMP (value, 0, G_MAXINT32);
}

static gsize
letter_at (const char *text, gsize offset)
{
  gsize at = MIN (offset, strlen (text));

  while (at > 0 && (text[at] & 0xc0) == 0x80)
    at--;
  return at;
}

static FacetCallRecord *
read_record (JsonNode *node, const char *text)
{
  JsonObject *object = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  const char *tool = object != NULL ? get_string (object, "tool") : NULL;
  const char *state = object != NULL ? get_string (object, "state") : NULL;
  const char *result = object != NULL ? get_string (object, "result") : NULL;
  const char *arguments = object != NULL ? get_string (object, "arguments") : NULL;
  g_autoptr (JsonNode) parsed = arguments != NULL ? json_from_string (arguments, NULL) : NULL;
  FacetCallRecord *record;

  if (tool == NULL || state == NULL || !g_strv_contains (states, state) || parsed == NULL || !JSON_NODE_HOLDS_OBJECT (parsed))
    return NULL;
  record = facet_call_record_new (tool, arguments, letter_at (text, get_number (object, "offset")), (guint) get_number (object, "round"));
  while (!g_str_equal (states[record->state], state))
    record->state++;
  if (result != NULL) {
    g_free (record->result);
    record->result = g_strdup (result);
  }
  return record;
}

GPtrArray *
facet_call_records_parse (const char *json, const char *text)
{
  GPtrArray *records = g_ptr_array_new_with_free_func ((GDestroyNotify) facet_call_record_free);
  g_autoptr (JsonNode) root = *json != '\0' ? json_from_string (json, NULL) : NULL;
  JsonArray *array = root != NULL && JSON_NODE_HOLDS_ARRAY (root) ? json_node_get_array (root) : NULL;
  gsize before = 0;

  for (guint i = 0; array != NULL && i < json_array_get_length (array) && records->len < MAX_RECORDS; i++) {
    FacetCallRecord *record = read_record (json_array_get_element (array, i), text);

    if (record == NULL)
      continue;
    record->offset = before = MAX (before, record->offset);
    g_ptr_array_add (records, record);
  }
  return records;
}

/* ---- writing ---- */

static void
add_string (JsonBuilder *builder, const char *name, const char *value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, value);
}

static void
add_number (JsonBuilder *builder, const char *name, guint64 value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, (gint64) value);
}

/* json-glib leaves U+001F as it is, which other readers of exports refuse. */
static char *
as_strict_json (const char *json)
{
  GString *strict = g_string_new (json);

  g_string_replace (strict, "\x1f", "\\u001f", 0);
  return g_string_free (strict, FALSE);
}

char *
facet_call_records_write (const GPtrArray *records)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *text = NULL;

  if (records->len == 0)
    return g_strdup ("");
  json_builder_begin_array (builder);
  for (guint i = 0; i < records->len; i++) {
    const FacetCallRecord *record = records->pdata[i];

    json_builder_begin_object (builder);
    add_string (builder, "tool", record->tool);
    add_string (builder, "arguments", record->arguments);
    add_string (builder, "state", states[record->state]);
    add_string (builder, "result", record->result);
    add_number (builder, "offset", record->offset);
    add_number (builder, "round", record->round);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
  root = json_builder_get_root (builder);
  text = json_to_string (root, FALSE);
  return as_strict_json (text);
}
