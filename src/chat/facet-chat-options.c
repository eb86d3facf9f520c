#define G_LOG_DOMAIN "facet"

#include <json-glib/json-glib.h>

#include "facet-chat-options.h"

static gboolean
get_boolean (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && json_node_get_value_type (node) == G_TYPE_BOOLEAN && json_node_get_boolean (node);
}

static const char *
get_string (JsonNode *node)
{
  return node != NULL && json_node_get_value_type (node) == G_TYPE_STRING ? json_node_get_string (node) : NULL;
}

static void
read_allowed (FacetChatOptions *options, JsonNode *node)
{
  JsonArray *array = node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;

  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++) {
    const char *tool = get_string (json_array_get_element (array, i));

    if (tool != NULL && !facet_chat_options_allows (options, tool))
      g_ptr_array_add (options->allowed, g_strdup (tool));
  }
}

FacetChatOptions *
facet_chat_options_parse (const char *json)
{
  FacetChatOptions *options = g_new0 (FacetChatOptions, 1);
  g_autoptr (JsonNode) root = *json != '\0' ? json_from_string (json, NULL) : NULL;
  JsonObject *object = root != NULL && JSON_NODE_HOLDS_OBJECT (root) ? json_node_get_object (root) : NULL;
  const char *mode = object != NULL ? get_string (json_object_get_member (object, "mode")) : NULL;

  options->mode = g_strdup (mode != NULL ? mode : "");
  options->allowed = g_ptr_array_new_with_free_func (g_free);
  if (object != NULL) {
    options->tools = get_boolean (object, "tools");
    options->thinking = get_boolean (object, "thinking");
    read_allowed (options, json_object_get_member (object, "allowed"));
  }
  return options;
}

char *
facet_chat_options_write (const FacetChatOptions *options)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "mode");
  json_builder_add_string_value (builder, options->mode);
  json_builder_set_member_name (builder, "tools");
  json_builder_add_boolean_value (builder, options->tools);
  json_builder_set_member_name (builder, "thinking");
  json_builder_add_boolean_value (builder, options->thinking);
  json_builder_set_member_name (builder, "allowed");
  json_builder_begin_array (builder);
  for (guint i = 0; i < options->allowed->len; i++)
    json_builder_add_string_value (builder, options->allowed->pdata[i]);
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  return json_to_string (root, FALSE);
}

void
facet_chat_options_free (FacetChatOptions *options)
{
  g_free (options->mode);
  g_ptr_array_unref (options->allowed);
  g_free (options);
}

gboolean
facet_chat_options_allows (const FacetChatOptions *options, const char *tool)
{
  return g_ptr_array_find_with_equal_func (options->allowed, tool, g_str_equal, NULL);
}
