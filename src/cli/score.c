#include <math.h>
#include <stdio.h>
#include <string.h>

#include <glib/gi18n.h>

#include "commands.h"
#include "interrupt.h"
#include "json.h"
#include "options.h"
#include "report.h"

static double
sum (const double *logprobs, guint n)
{
  double total = 0;

  for (guint i = 1; i < n; i++)
    total += logprobs[i];
  return total;
}

static void
print_json (const GArray *ids, const double *logprobs)
{
  g_autoptr (GString) json = g_string_new ("{");

  json_open (json, "ids", '[');
  for (guint i = 0; i < ids->len; i++)
    json_integer (json, NULL, g_array_index (ids, gint32, i));
  json_close (json, ']');
  json_open (json, "logprobs", '[');
  for (guint i = 0; i < ids->len; i++)
    json_number (json, NULL, logprobs[i]);
  json_close (json, ']');
  json_number (json, "total", sum (logprobs, ids->len));
  json_close (json, '}');
  json_print (json);
}

static void
print_text (FacetModel *model, const GArray *ids, const double *logprobs)
{
  double total = sum (logprobs, ids->len);

  for (guint i = 1; i < ids->len; i++) {
    g_autoptr (GString) bytes = g_string_new (NULL);
    g_autoptr (GString) safe = g_string_new (NULL);
    g_autofree char *valid = NULL;

    facet_token_bytes (model, g_array_index (ids, gint32, i), bytes);
    valid = g_utf8_make_valid (bytes->str, bytes->len);
    report_append_safe (safe, valid, strlen (valid));
    g_string_replace (safe, "\n", "\\n", 0);
    printf ("%9.4f  %s\n", logprobs[i], safe->str);
  }
  printf (ngettext ("total %.4f over %u token, perplexity %.4f\n", "total %.4f over %u tokens, perplexity %.4f\n",
                    ids->len - 1),
          total, ids->len - 1, exp (-total / (ids->len - 1)));
}

static double *
compute (FacetModel *model, const Options *options, const GArray *ids, GError **error)
{
  FacetSessionParams params = {
    .context = MAX (options->context, (int) ids->len),
    .kv_type = options->kv_type,
  };
  FacetCancel cancel = { 0 };
  g_autoptr (FacetSession) session = facet_session_new (model, &params, error);
  g_autofree double *logprobs = g_new (double, ids->len);
  gboolean done;

  if (session == NULL)
    return NULL;
  interrupt_guard (&cancel);
  done = facet_session_score (session, (const gint32 *) ids->data, ids->len, logprobs, &cancel, error);
  interrupt_guard (NULL);
  return done ? g_steal_pointer (&logprobs) : NULL;
}

int
command_score (int argc, char **argv)
{
  g_auto (Options) options;
  g_autofree char *text = NULL;
  g_autofree char *file = NULL;
  const GOptionEntry entries[] = {
    { "prompt", 'p', 0, OPTIONS_ARG_BYTES, &text, N_("Text to score"), N_("TEXT") },
    { "file", 'f', 0, G_OPTION_ARG_FILENAME, &file, N_("File to score; “-” reads standard input"), N_("FILE") },
    G_OPTION_ENTRY_NULL
  };
  g_autoptr (FacetModel) model = NULL;
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autofree double *logprobs = NULL;
  g_autoptr (GError) error = NULL;
  gsize length;
  gint32 bos;
  int status;

  options_init (&options);
  if (!options_parse (&options, OPTIONS_MODEL | OPTIONS_JSON, NULL,
                      N_("Shows how likely the model finds each token of a text, as natural logarithms."), entries, &argc, &argv))
    return EXIT_USAGE;
  status = options_read_text (&text, file, &length);
  if (status != EXIT_OK)
    return status;
  model = options_load_model (&options, NULL);
  if (model == NULL)
    return EXIT_FAILED;
  bos = facet_token_bos (model);
  g_array_append_val (ids, bos);
  facet_tokenize (model, text, length, FALSE, ids);
  if (ids->len < 2) {
    g_printerr (_("%s: there is nothing to score: the text is empty\n"), g_get_prgname ());
    return EXIT_FAILED;
  }
  interrupt_install ();
  logprobs = compute (model, &options, ids, &error);
  if (logprobs == NULL) {
    report_error (error);
    return report_status (error);
  }
  if (options.json)
    print_json (ids, logprobs);
  else
    print_text (model, ids, logprobs);
  return EXIT_OK;
}
