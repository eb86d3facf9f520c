/* Tools in words, for families that have no tokens for them. */
#include "chat/template.h"

#include <string.h>

#include "tools/tool.h"

static void
write_string (GString *out, const char *text)
{
  g_string_append_c (out, '"');
  facet_json_write_escaped (out, text, strlen (text));
  g_string_append_c (out, '"');
}

static void
explain (GString *out, GPtrArray *tools, FacetCallForm form)
{
  g_string_append (out, "You have access to functions. If you decide to invoke any of the functions, you MUST put it in the format of\n");
  g_string_append (out, form == FACET_CALLS_LINES ? "FUNCTION_CALL: function_name(argument=\"value\", other=2)\n"
                                                  : "{\"function_name\": function name, \"parameters\": dictionary of argument name and its value}\n");
  g_string_append (out, "with each call on a line of its own. You SHOULD NOT include any other text in the response if you call a function.\n[");
  for (guint i = 0; i < tools->len; i++) {
    const FacetTool *tool = g_ptr_array_index (tools, i);

    g_string_append (out, i > 0 ? ",\n{\"name\":" : "{\"name\":");
    write_string (out, tool->name);
    g_string_append (out, ",\"description\":");
    write_string (out, tool->description);
    g_string_append (out, ",\"parameters\":");
    facet_json_write (out, tool->parameters);
    g_string_append_c (out, '}');
  }
  g_string_append_c (out, ']');
}

void
facet_tools_write_preface (FacetWriter *writer, const FacetPrompt *prompt, const FacetTurn *system)
{
  g_autoptr (GString) tools = g_string_new (NULL);

  if (system != NULL) {
    facet_writer_trimmed (writer, system->text->str, system->text->len);
    facet_writer_text (writer, "\n\n");
  }
  if (prompt->tools != NULL) {
    explain (tools, prompt->tools, writer->rendered->form);
    facet_writer_text (writer, tools->str);
    facet_writer_text (writer, "\n\n");
  }
}

void
facet_tools_write_call (GString *out, FacetCallForm form, const FacetTurnPart *part)
{
  if (form != FACET_CALLS_LINES) {
    g_string_append (out, "{\"function_name\": ");
    write_string (out, part->name);
    g_string_append (out, ", \"parameters\": ");
    facet_json_write (out, part->value);
    g_string_append_c (out, '}');
    return;
  }
  g_string_append_printf (out, "FUNCTION_CALL: %s(", part->name);
  for (guint i = 0; i < part->value->names->len; i++) {
    g_string_append_printf (out, "%s%s=", i > 0 ? ", " : "", (char *) g_ptr_array_index (part->value->names, i));
    facet_json_write (out, g_ptr_array_index (part->value->items, i));
  }
  g_string_append_c (out, ')');
}

void
facet_tools_write_result (GString *out, const FacetTurnPart *part)
{
  g_string_append (out, "{\"function_name\": ");
  write_string (out, part->name);
  g_string_append (out, ", \"result\": ");
  facet_json_write (out, part->value);
  g_string_append_c (out, '}');
}
