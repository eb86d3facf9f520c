#include "facet.h"

#include <string.h>

#include "tools/call.h"
#include "tools/tool.h"

static int
by_name (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(FacetTool *const *) a)->name, (*(FacetTool *const *) b)->name);
}

static void
find_costs (FacetToolSet *set)
{
  set->costs = g_new0 (guint, set->tools->len);
  for (guint i = 0; i < set->tools->len; i++) {
    FacetGrammar grammar;

    facet_grammar_init (&grammar, set);
    grammar.frames[0].lo = i;
    grammar.frames[0].hi = i + 1;
    set->costs[i] = facet_grammar_rest (&grammar);
  }
}

gboolean
facet_tool_set_init (FacetToolSet *set, GPtrArray *tools, FacetCallForm form, GError **error)
{
  *set = (FacetToolSet){ .names = g_ptr_array_new (), .tools = g_ptr_array_new_with_free_func ((GDestroyNotify) facet_tool_unref), .form = form };
  for (guint i = 0; i < tools->len; i++)
    g_ptr_array_add (set->tools, facet_tool_ref (g_ptr_array_index (tools, i)));
  g_ptr_array_sort (set->tools, by_name);
  for (guint i = 0; i < set->tools->len; i++) {
    FacetTool *tool = g_ptr_array_index (set->tools, i);

    if (i > 0 && g_str_equal (tool->name, g_ptr_array_index (set->names, i - 1))) {
      g_set_error (error, FACET_ERROR, FACET_ERROR_INVALID, "two tools are called %s", tool->name);
      return FALSE;
    }
    g_ptr_array_add (set->names, tool->name);
  }
  if (set->tools->len == 0 || set->tools->len > G_MAXUINT16) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_INVALID, "%u tools are offered", set->tools->len);
    return FALSE;
  }
  find_costs (set);
  return TRUE;
}

void
facet_tool_set_clear (FacetToolSet *set)
{
  g_clear_pointer (&set->costs, g_free);
  g_clear_pointer (&set->names, g_ptr_array_unref);
  g_clear_pointer (&set->tools, g_ptr_array_unref);
}

FacetCall *
facet_call_new (const FacetGrammar *grammar, const GString *arguments)
{
  g_autoptr (FacetJson) json = facet_json_parse_last (arguments->str, arguments->len, NULL);
  g_autoptr (GString) written = g_string_new (NULL);
  FacetCall *call = g_new (FacetCall, 1);

  g_assert (json != NULL);
  facet_json_write (written, json);
  call->name = g_strdup (g_ptr_array_index (grammar->set->names, grammar->tool));
  call->arguments = g_strdup (written->str);
  return call;
}

void
facet_call_free (FacetCall *call)
{
  g_free (call->name);
  g_free (call->arguments);
  g_free (call);
}

/* Reads one call and moves @at behind it. */
static FacetCall *
parse_call (const FacetToolSet *set, const char *text, gsize length, gsize *at, GError **error)
{
  g_autoptr (GString) json = g_string_new (NULL);
  FacetGrammar grammar;

  facet_grammar_init (&grammar, set);
  while (!grammar.done) {
    FacetGrammar before = grammar;

    if (*at < length && facet_grammar_take (&grammar, (guchar) text[*at], json)) {
      (*at)++;
    } else {
      g_autofree char *expected = facet_grammar_expected (&before);

      g_set_error (error, FACET_ERROR, FACET_ERROR_INVALID, "calls, byte %" G_GSIZE_FORMAT ": expected %s", *at, expected);
      return NULL;
    }
  }
  return facet_call_new (&grammar, json);
}

GPtrArray *
facet_calls_parse (GPtrArray *tools, FacetCallForm form, const char *text, gssize length, GError **error)
{
  gsize bytes = length < 0 ? strlen (text) : (gsize) length, at = 0;
  g_autoptr (GPtrArray) calls = g_ptr_array_new_with_free_func ((GDestroyNotify) facet_call_free);
  g_auto (FacetToolSet) set = { NULL };

  g_return_val_if_fail (form != FACET_CALLS_FAMILY, NULL);
  if (!facet_tool_set_init (&set, tools, form, error))
    return NULL;
  for (;;) {
    FacetCall *call;

    while (at < bytes && g_ascii_isspace (text[at]))
      at++;
    if (at == bytes && calls->len > 0)
      return g_steal_pointer (&calls);
    call = parse_call (&set, text, bytes, &at, error);
    if (call == NULL)
      return NULL;
    g_ptr_array_add (calls, call);
  }
}
