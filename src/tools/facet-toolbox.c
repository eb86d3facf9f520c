#include "facet-toolbox.h"

#include <string.h>

#include <glib/gi18n.h>

#include "facet-toolbox-private.h"

#define MAX_TOOLS 64

/* Either of them. */
typedef struct {
  const FacetBuiltinTool *builtin;
  GStrv                   command;
} Way;

struct FacetToolbox {
  gatomicrefcount refs;
  GPtrArray      *tools; /* FacetTool */
  GPtrArray      *ways;  /* Way by the same index */
};

G_DEFINE_QUARK (facet-toolbox-error, facet_toolbox_error)

void
facet_toolbox_fail (GError **error, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  if (error != NULL)
    *error = g_error_new_valist (FACET_TOOLBOX_ERROR, FACET_TOOLBOX_ERROR_CALL, format, arguments);
  va_end (arguments);
}

static void
way_free (gpointer data)
{
  Way *way = data;

  g_strfreev (way->command);
  g_free (way);
}

static FacetToolbox *
toolbox_new (void)
{
  FacetToolbox *toolbox = g_new0 (FacetToolbox, 1);

  g_atomic_ref_count_init (&toolbox->refs);
  toolbox->tools = g_ptr_array_new_with_free_func ((GDestroyNotify) facet_tool_unref);
  toolbox->ways = g_ptr_array_new_with_free_func (way_free);
  return toolbox;
}

static int
find_tool (FacetToolbox *toolbox, const char *name)
{
  for (guint i = 0; i < toolbox->tools->len; i++)
    if (g_str_equal (facet_tool_name (g_ptr_array_index (toolbox->tools, i)), name))
      return i;
  return -1;
}

/* Takes all but the table's entry. */
static void
add_tool (FacetToolbox *toolbox, FacetTool *tool, const FacetBuiltinTool *builtin, GStrv command)
{
  Way *way = g_new (Way, 1);

  *way = (Way){ builtin, command };
  g_ptr_array_add (toolbox->tools, tool);
  g_ptr_array_add (toolbox->ways, way);
}

FacetToolbox *
facet_toolbox_new_builtin (void)
{
  FacetToolbox *toolbox = toolbox_new ();

  for (guint i = 0; i < facet_n_builtin_tools; i++) {
    FacetTool *tool = facet_tool_new (facet_builtin_tools[i].name, facet_builtin_tools[i].description, facet_builtin_tools[i].parameters, NULL);

    g_assert (tool != NULL);
    add_tool (toolbox, tool, &facet_builtin_tools[i], NULL);
  }
  return toolbox;
}

static gboolean
check_name (FacetToolbox *toolbox, const char *name, GError **error)
{
  if (find_tool (toolbox, name) < 0)
    return TRUE;
  g_set_error (error, FACET_TOOLBOX_ERROR, FACET_TOOLBOX_ERROR_FILE, "there are two tools named %s", name);
  return FALSE;
}

FacetToolbox *
facet_toolbox_new_joined (FacetToolbox *first, FacetToolbox *second, GError **error)
{
  FacetToolbox *const parts[] = { first, second };
  g_autoptr (FacetToolbox) toolbox = toolbox_new ();

  for (guint k = 0; k < G_N_ELEMENTS (parts); k++)
    for (guint i = 0; i < parts[k]->tools->len; i++) {
      FacetTool *tool = g_ptr_array_index (parts[k]->tools, i);
      const Way *way = g_ptr_array_index (parts[k]->ways, i);

      if (!check_name (toolbox, facet_tool_name (tool), error))
        return NULL;
      add_tool (toolbox, facet_tool_ref (tool), way->builtin, g_strdupv (way->command));
    }
  return g_steal_pointer (&toolbox);
}

FacetToolbox *
facet_toolbox_ref (FacetToolbox *toolbox)
{
  g_atomic_ref_count_inc (&toolbox->refs);
  return toolbox;
}

void
facet_toolbox_unref (FacetToolbox *toolbox)
{
  if (!g_atomic_ref_count_dec (&toolbox->refs))
    return;
  g_ptr_array_unref (toolbox->tools);
  g_ptr_array_unref (toolbox->ways);
  g_free (toolbox);
}

GPtrArray *
facet_toolbox_tools (FacetToolbox *toolbox)
{
  return toolbox->tools;
}

/* ---- a person's own tools ---- */

static JsonNode *
member (JsonObject *object, const char *name, JsonNodeType type)
{
  JsonNode *node = object != NULL ? json_object_get_member (object, name) : NULL;

  return node != NULL && json_node_get_node_type (node) == type ? node : NULL;
}

static const char *
string_member (JsonObject *object, const char *name)
{
  JsonNode *node = member (object, name, JSON_NODE_VALUE);

  return node != NULL && json_node_get_value_type (node) == G_TYPE_STRING ? json_node_get_string (node) : NULL;
}

static GStrv
read_command (JsonObject *object)
{
  JsonNode *node = member (object, "command", JSON_NODE_ARRAY);
  JsonArray *list = node != NULL ? json_node_get_array (node) : NULL;
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  if (list == NULL || json_array_get_length (list) == 0)
    return NULL;
  for (guint i = 0; i < json_array_get_length (list); i++) {
    JsonNode *element = json_array_get_element (list, i);

    if (!JSON_NODE_HOLDS_VALUE (element) || json_node_get_value_type (element) != G_TYPE_STRING || (i == 0 && json_node_get_string (element)[0] == '{'))
      return NULL;
    g_strv_builder_add (builder, json_node_get_string (element));
  }
  return g_strv_builder_end (builder);
}

static gboolean
read_tool (FacetToolbox *toolbox, JsonNode *node, GError **error)
{
  JsonObject *object = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  JsonNode *schema = member (object, "parameters", JSON_NODE_OBJECT);
  const char *name = string_member (object, "name"), *description = string_member (object, "description");
  g_autofree char *parameters = schema != NULL ? json_to_string (schema, FALSE) : NULL;
  g_auto (GStrv) command = object != NULL ? read_command (object) : NULL;
  FacetTool *tool;

  if (name == NULL || description == NULL || command == NULL) {
    g_set_error (error, FACET_TOOLBOX_ERROR, FACET_TOOLBOX_ERROR_FILE, "tool %u has no name, no description or no command that is a list of strings", toolbox->tools->len);
    return FALSE;
  }
  tool = facet_tool_new (name, description, parameters, error);
  if (tool == NULL)
    return FALSE;
  if (!check_name (toolbox, name, error)) {
    facet_tool_unref (tool);
    return FALSE;
  }
  add_tool (toolbox, tool, NULL, g_steal_pointer (&command));
  return TRUE;
}

FacetToolbox *
facet_toolbox_new_from_file (const char *path, GError **error)
{
  g_autoptr (FacetToolbox) toolbox = toolbox_new ();
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  JsonNode *root, *list;

  if (!json_parser_load_from_file (parser, path, error))
    return NULL;
  root = json_parser_get_root (parser);
  list = root != NULL && JSON_NODE_HOLDS_OBJECT (root) ? member (json_node_get_object (root), "tools", JSON_NODE_ARRAY) : NULL;
  if (list == NULL || json_array_get_length (json_node_get_array (list)) == 0 || json_array_get_length (json_node_get_array (list)) > MAX_TOOLS) {
    g_set_error (error, FACET_TOOLBOX_ERROR, FACET_TOOLBOX_ERROR_FILE, "%s: “tools” is no list of 1 to %d tools", path, MAX_TOOLS);
    return NULL;
  }
  for (guint i = 0; i < json_array_get_length (json_node_get_array (list)); i++)
    if (!read_tool (toolbox, json_array_get_element (json_node_get_array (list), i), error)) {
      g_prefix_error (error, "%s: ", path);
      return NULL;
    }
  return g_steal_pointer (&toolbox);
}

/* ---- calls ---- */

const char *
facet_toolbox_title (const char *name)
{
  for (guint i = 0; i < facet_n_builtin_tools; i++)
    if (g_str_equal (facet_builtin_tools[i].name, name))
      return g_dpgettext2 (NULL, "tool", facet_builtin_tools[i].title);
  return name;
}

char *
facet_toolbox_reveal (const char *text)
{
  GString *shown = g_string_new (NULL);

  for (const char *at = text; *at != '\0'; at = g_utf8_next_char (at)) {
    gunichar letter = g_utf8_get_char (at);
    GUnicodeType type = g_unichar_type (letter);

    if (letter == '\n' || letter == '\t' || (type != G_UNICODE_CONTROL && type != G_UNICODE_FORMAT))
      g_string_append_unichar (shown, letter);
    else
      g_string_append_printf (shown, "\\u{%04X}", letter);
  }
  return g_string_free (shown, FALSE);
}

static JsonParser *
parse_arguments (const FacetCall *call)
{
  JsonParser *parser = json_parser_new_immutable ();

  /* The engine hands over objects that fit the schema. */
  if (!json_parser_load_from_data (parser, call->arguments, -1, NULL) || !JSON_NODE_HOLDS_OBJECT (json_parser_get_root (parser)))
    g_clear_object (&parser);
  return parser;
}

static char *
quote_command (GStrv command)
{
  g_autoptr (GString) line = g_string_new (NULL);

  for (char **element = command; *element != NULL; element++) {
    g_autofree char *quoted = g_shell_quote (*element);

    g_string_append_printf (line, "%s%s", element > command ? " " : "", quoted);
  }
  return g_string_free (g_steal_pointer (&line), FALSE);
}

char *
facet_toolbox_question (FacetToolbox *toolbox, const FacetCall *call)
{
  int index = find_tool (toolbox, call->name);
  const Way *way = index >= 0 ? g_ptr_array_index (toolbox->ways, index) : NULL;
  g_autoptr (JsonParser) parser = parse_arguments (call);
  JsonObject *arguments = parser != NULL ? json_node_get_object (json_parser_get_root (parser)) : NULL;
  g_auto (GStrv) command = NULL;
  g_autofree char *line = NULL, *shown = NULL, *input = NULL;

  if (way == NULL || arguments == NULL)
    return NULL;
  if (way->builtin != NULL)
    return way->builtin->question != NULL ? way->builtin->question (arguments) : NULL;
  command = facet_command_fill ((const char *const *) way->command, arguments, NULL);
  if (command == NULL)
    return NULL;
  line = quote_command (command);
  shown = facet_toolbox_reveal (line);
  input = facet_toolbox_reveal (call->arguments);
  return g_strdup_printf (_("The model wants to run the command “%s” with the input %s."), shown, input);
}

char *
facet_toolbox_target (FacetToolbox *toolbox, const FacetCall *call, gboolean *command)
{
  int index = find_tool (toolbox, call->name);
  const Way *way = index >= 0 ? g_ptr_array_index (toolbox->ways, index) : NULL;
  g_autoptr (JsonParser) parser = parse_arguments (call);
  JsonObject *arguments = parser != NULL ? json_node_get_object (json_parser_get_root (parser)) : NULL;
  g_auto (GStrv) line = NULL;

  *command = way != NULL && way->builtin == NULL;
  if (way == NULL || arguments == NULL)
    return NULL;
  if (!*command)
    return way->builtin->file != NULL ? g_strdup (json_object_get_string_member (arguments, way->builtin->file)) : NULL;
  line = facet_command_fill ((const char *const *) way->command, arguments, NULL);
  return line != NULL ? quote_command (line) : NULL;
}

char *
facet_toolbox_run (FacetToolbox *toolbox, const FacetCall *call, FacetCancel *cancel, GError **error)
{
  int index = find_tool (toolbox, call->name);
  const Way *way = index >= 0 ? g_ptr_array_index (toolbox->ways, index) : NULL;
  g_autoptr (JsonParser) parser = parse_arguments (call);
  JsonObject *arguments = parser != NULL ? json_node_get_object (json_parser_get_root (parser)) : NULL;
  g_auto (GStrv) command = NULL;

  if (way == NULL || arguments == NULL) {
    facet_toolbox_fail (error, "there is no tool %s", call->name);
    return NULL;
  }
  if (way->builtin != NULL)
    return way->builtin->run (arguments, error);
  command = facet_command_fill ((const char *const *) way->command, arguments, error);
  return command != NULL ? facet_command_run ((const char *const *) command, call->arguments, cancel, error) : NULL;
}
