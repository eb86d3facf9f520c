#include <stdio.h>
#include <string.h>

#include <glib/gi18n.h>

#include "commands.h"
#include "json.h"
#include "options.h"
#include "report.h"

static void
print_json (FacetModel *model, const GArray *ids)
{
  g_autoptr (GString) json = g_string_new ("{");

  json_open (json, "ids", '[');
  for (guint i = 0; i < ids->len; i++)
    json_integer (json, NULL, g_array_index (ids, gint32, i));
  json_close (json, ']');
  json_open (json, "pieces", '[');
  for (guint i = 0; i < ids->len; i++)
    json_string (json, NULL, facet_token_piece (model, g_array_index (ids, gint32, i)), -1);
  json_close (json, ']');
  json_close (json, '}');
  json_print (json);
}

static void
print_table (FacetModel *model, const GArray *ids)
{
  for (guint i = 0; i < ids->len; i++) {
    gint32 id = g_array_index (ids, gint32, i);
    const char *piece = facet_token_piece (model, id);
    g_autoptr (GString) safe = g_string_new (NULL);

    report_append_safe (safe, piece, strlen (piece));
    g_string_replace (safe, "\n", "\\n", 0);
    g_string_replace (safe, "\t", "\\t", 0);
    printf ("%7d  %s\n", id, safe->str);
  }
}

int
command_tokenize (int argc, char **argv)
{
  g_auto (Options) options;
  g_autofree char *text = NULL;
  g_autofree char *file = NULL;
  gboolean parse_special = FALSE;
  const GOptionEntry entries[] = {
    { "prompt", 'p', 0, OPTIONS_ARG_BYTES, &text, N_("Text to cut into tokens"), N_("TEXT") },
    { "file", 'f', 0, G_OPTION_ARG_FILENAME, &file, N_("File to cut into tokens; “-” reads standard input"), N_("FILE") },
    { "parse-special", 0, 0, G_OPTION_ARG_NONE, &parse_special, N_("Let control tokens written in the text act as such"), NULL },
    G_OPTION_ENTRY_NULL
  };
  g_autoptr (FacetModel) model = NULL;
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  gsize length;
  int status;

  options_init (&options);
  if (!options_parse (&options, OPTIONS_MODEL | OPTIONS_JSON, NULL,
                      N_("Shows the tokens that a text becomes. No beginning-of-text token is added."), entries, &argc, &argv))
    return EXIT_USAGE;
  status = options_read_text (&text, file, &length);
  if (status != EXIT_OK)
    return status;
  model = options_load_model (&options, NULL);
  if (model == NULL)
    return EXIT_FAILED;
  facet_tokenize (model, text, length, parse_special, ids);
  if (options.json)
    print_json (model, ids);
  else
    print_table (model, ids);
  return EXIT_OK;
}
