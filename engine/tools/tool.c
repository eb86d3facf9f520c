#include "tools/tool.h"

#include <string.h>

#define NO_PARAMETERS "{\"type\":\"object\",\"properties\":{}}"

FacetTool *
facet_tool_new (const char *name, const char *description, const char *parameters, GError **error)
{
  g_autoptr (FacetTool) tool = g_new0 (FacetTool, 1);

  tool->refs = 1;
  tool->name = g_strdup (name);
  tool->description = g_utf8_make_valid (description, -1);
  if (!facet_schema_name_ok (name)) {
    g_set_error_literal (error, FACET_ERROR, FACET_ERROR_INVALID, "a tool's name is empty, longer than 64 bytes or has other signs than letters, digits, “_”, “-” and “.”");
    return NULL;
  }
  tool->parameters = facet_json_parse (parameters != NULL ? parameters : NO_PARAMETERS, -1, error);
  tool->schema = tool->parameters != NULL ? facet_schema_compile (tool->parameters, error) : NULL;
  if (tool->schema == NULL) {
    g_prefix_error (error, "tool %s: ", name);
    return NULL;
  }
  if (tool->schema->types != FACET_TYPE_OBJECT) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_INVALID, "tool %s: the type of its parameters is not object", name);
    return NULL;
  }
  return g_steal_pointer (&tool);
}

FacetTool *
facet_tool_ref (FacetTool *tool)
{
  g_atomic_int_inc (&tool->refs);
  return tool;
}

void
facet_tool_unref (FacetTool *tool)
{
  if (!g_atomic_int_dec_and_test (&tool->refs))
    return;
  g_free (tool->name);
  g_free (tool->description);
  g_clear_pointer (&tool->parameters, facet_json_free);
  g_clear_pointer (&tool->schema, facet_schema_free);
  g_free (tool);
}

const char *
facet_tool_name (FacetTool *tool)
{
  return tool->name;
}

const char *
facet_tool_description (FacetTool *tool)
{
  return tool->description;
}
