#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <sys/resource.h>

#include <glib/gi18n.h>

#include "bench-counts.h"
#include "bench-encoder.h"
#include "commands.h"
#include "interrupt.h"
#include "json.h"
#include "options.h"
#include "report.h"
#include "spread.h"

#define FIRST_ORDINARY_ID 1000 /* past control and byte tokens in every vocabulary of the family */

typedef struct {
  Options options;
  int     prefill;
  int     decode;
  int     depth;
  int     repeat;
  gboolean counts;
  char   *image, *audio; /* at most one of them */
} Arguments;

/* Of double, one for each repetition. */
typedef struct {
  GArray *wall;      /* tokens a second */
  GArray *processor; /* tokens a second of all threads together: what others take of the machine leaves it alone */
} Rates;

typedef struct {
  Rates   prefill;
  Rates   decode;
  GArray *host;      /* of double: microseconds a token outside the graphics driver */
  double  load_ms;
  guint64 peak_rss;
} Results;

static Rates
rates_new (void)
{
  return (Rates) { g_array_new (FALSE, FALSE, sizeof (double)), g_array_new (FALSE, FALSE, sizeof (double)) };
}

static void
rates_clear (Rates *rates)
{
  g_array_unref (rates->wall);
  g_array_unref (rates->processor);
}

static void
rates_add (Rates *rates, double wall, double processor)
{
  g_array_append_val (rates->wall, wall);
  g_array_append_val (rates->processor, processor);
}

static double
processor_seconds (void)
{
  struct timespec now;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double) now.tv_sec + 1e-9 * (double) now.tv_nsec;
}

/* Any tokens will do: the work does not depend on which ones. Those of
 * different @seed share no beginning beyond the first token, so that nothing
 * is taken from the cache. */
static FacetPrompt *
random_prompt (FacetModel *model, int n, guint32 seed)
{
  FacetPrompt *prompt = facet_prompt_new (FACET_TEMPLATE_RAW);
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  g_autofree gint32 *ids = g_new (gint32, n);

  for (int i = 0; i < n; i++)
    ids[i] = g_rand_int_range (rand, MIN (FIRST_ORDINARY_ID, facet_model_vocab_size (model) / 2), facet_model_vocab_size (model));
  ids[0] = facet_token_bos (model);
  facet_prompt_begin_turn (prompt, FACET_ROLE_USER);
  facet_prompt_add_tokens (prompt, ids, n);
  return prompt;
}

/* Reads @n random tokens of @seed and writes @more after them. */
static gboolean
run_once (FacetModel *model, FacetSession *session, int n, int more, guint32 seed, FacetCancel *cancel, FacetStats *stats, GError **error)
{
  g_autoptr (FacetPrompt) prompt = random_prompt (model, n, seed);
  g_auto (FacetReply) reply = { .text = NULL };
  FacetReplyParams params = { .max_tokens = more, .endless = TRUE, .cancel = cancel };

  if (!facet_session_reply (session, prompt, &params, &reply, error))
    return FALSE;
  if (reply.stop_reason == FACET_STOP_CANCELLED) {
    g_set_error_literal (error, FACET_ERROR, FACET_ERROR_CANCELLED, "cancelled");
    return FALSE;
  }
  *stats = reply.stats;
  return TRUE;
}

/* Prefill of @prefill tokens behind @depth others: those are read first, so
 * that they are in the cache. A prompt of the same seed begins alike. */
static gboolean
measure_prefill (const Arguments *arguments, FacetModel *model, FacetSession *session, guint32 seed, FacetCancel *cancel, Rates *rates, GError **error)
{
  FacetStats stats;
  double start, tokens;

  if (arguments->depth > 0 && !run_once (model, session, arguments->depth, 1, seed, cancel, &stats, error))
    return FALSE;
  start = processor_seconds ();
  if (!run_once (model, session, arguments->depth + arguments->prefill, 1, seed, cancel, &stats, error))
    return FALSE;
  tokens = stats.prompt_tokens - stats.cached_tokens;
  rates_add (rates, tokens / stats.prefill_seconds, tokens / (processor_seconds () - start));
  return TRUE;
}

/* decode_seconds runs from the first token to the last: one more is asked
 * for than is timed. The prompt is in the cache but for its last token, which
 * takes a step like any other. */
static gboolean
measure_decode (const Arguments *arguments, FacetModel *model, FacetSession *session, guint32 seed, FacetCancel *cancel, Results *results, GError **error)
{
  FacetStats stats;
  double start;

  if (!run_once (model, session, MAX (arguments->depth, 1), 1, seed, cancel, &stats, error))
    return FALSE;
  start = processor_seconds ();
  if (!run_once (model, session, MAX (arguments->depth, 1), arguments->decode + 1, seed, cancel, &stats, error))
    return FALSE;
  rates_add (&results->decode, (stats.generated_tokens - 1) / stats.decode_seconds,
             (stats.generated_tokens - 1 + stats.prompt_tokens - stats.cached_tokens) / (processor_seconds () - start));
  if (stats.driver_seconds > 0) {
    double host = 1e6 * (stats.decode_seconds - stats.driver_seconds) / (stats.generated_tokens - 1);

    g_array_append_val (results->host, host);
  }
  return TRUE;
}

static gboolean
measure (const Arguments *arguments, FacetModel *model, Results *results, FacetCancel *cancel, GError **error)
{
  int need = MAX (arguments->depth, 1) + MAX (arguments->prefill, arguments->decode) + 2;
  FacetSessionParams params = { .context = MAX (arguments->options.context, need), .kv_type = arguments->options.kv_type };
  g_autoptr (FacetSession) session = facet_session_new (model, &params, error);

  if (session == NULL)
    return FALSE;
  for (int i = 0; i <= arguments->repeat; i++) {
    if (arguments->prefill > 0 && !measure_prefill (arguments, model, session, 2 * i, cancel, &results->prefill, error))
      return FALSE;
    if (arguments->decode > 0 && !measure_decode (arguments, model, session, 2 * i + 1, cancel, results, error))
      return FALSE;
    if (i == 0) {
      rates_clear (&results->prefill); /* it pages in the weights; not counted */
      rates_clear (&results->decode);
      results->prefill = rates_new ();
      results->decode = rates_new ();
      g_array_set_size (results->host, 0);
    }
  }
  return TRUE;
}

static void
print_json (Results *results)
{
  GArray *const rates[] = { results->prefill.wall, results->prefill.processor, results->decode.wall, results->decode.processor,
                            results->host };
  const char *const names[] = { "prefill_tokens_per_s", "prefill_tokens_per_processor_s", "decode_tokens_per_s", "decode_tokens_per_processor_s",
                                "host_us_per_token" };
  g_autoptr (GString) json = g_string_new ("{");

  for (guint i = 0; i < G_N_ELEMENTS (rates); i++) {
    Spread spread;

    if (rates[i]->len == 0)
      continue;
    spread = spread_of (rates[i]);
    spread_json (json, names[i], &spread);
  }
  json_number (json, "load_ms", results->load_ms);
  json_integer (json, "peak_rss_bytes", results->peak_rss);
  json_close (json, '}');
  json_print (json);
}

static void
print_spread (const char *what, GArray *rates)
{
  Spread spread;

  if (rates->len == 0)
    return;
  spread = spread_of (rates);
  printf (_("%-10s %8.1f tokens/s (%.1f to %.1f)\n"), what, spread.median, spread.min, spread.max);
}

static void
print_results (const Arguments *arguments, FacetModel *model, Results *results)
{
  g_autofree char *peak = report_bytes (results->peak_rss), *name = report_one_line (facet_model_get_info (model)->name);

  printf (_("%s on %s: %d tokens read, %d written, behind %d others; median of %d (least to most)\n"),
          name, facet_model_backend_name (model), arguments->prefill, arguments->decode,
          arguments->depth, arguments->repeat);
  print_spread (_("prefill"), results->prefill.wall);
  print_spread (_("decode"), results->decode.wall);
  if (results->host->len > 0) {
    Spread host = spread_of (results->host);

    printf (_("%-10s %8.1f µs a token outside the graphics driver (%.1f to %.1f)\n"), _("host"), host.median, host.min, host.max);
  }
  printf (_("%-10s %8.1f ms\n"), _("load"), results->load_ms);
  printf (_("%-10s %8s\n"), _("peak"), peak);
}

static gboolean
parse_arguments (Arguments *arguments, int argc, char **argv)
{
  const GOptionEntry entries[] = {
    { "prefill", 'p', 0, G_OPTION_ARG_INT, &arguments->prefill, N_("Tokens to read (512); 0 leaves this out"), N_("N") },
    { "decode", 'n', 0, G_OPTION_ARG_INT, &arguments->decode, N_("Tokens to write (128); 0 leaves this out"), N_("N") },
    { "depth", 'd', 0, G_OPTION_ARG_INT, &arguments->depth, N_("Tokens that are in the context before (0)"), N_("N") },
    { "image", 0, 0, G_OPTION_ARG_FILENAME, &arguments->image, N_("Encode this picture instead, with the projector of --mmproj"), N_("FILE") },
    { "audio", 0, 0, G_OPTION_ARG_FILENAME, &arguments->audio, N_("Encode this sound of up to 30 seconds instead, likewise"), N_("FILE") },
    { "counts", 0, 0, G_OPTION_ARG_NONE, &arguments->counts, N_("Count what the graphics device moves and computes instead"), NULL },
    { "repeat", 'r', 0, G_OPTION_ARG_INT, &arguments->repeat, N_("Repetitions (3)"), N_("N") },
    G_OPTION_ENTRY_NULL
  };

  options_init (&arguments->options);
  if (!options_parse (&arguments->options, OPTIONS_MODEL | OPTIONS_JSON, NULL,
                      N_("Measures how fast the model reads and writes here."), entries, &argc, &argv))
    return FALSE;
  if (MIN (arguments->prefill, MIN (arguments->decode, arguments->depth)) < 0 || arguments->repeat < 1
      || MAX (arguments->prefill, MAX (arguments->decode, arguments->depth)) > (1 << 24)) {
    options_complain (g_get_prgname (), "%s", _("-p, -n and --depth must not be negative or above 16 million, and --repeat must be at least 1"));
    return FALSE;
  }
  if ((arguments->image != NULL || arguments->audio != NULL) && arguments->options.mmproj == NULL) {
    options_complain (g_get_prgname (), "%s", _("--image and --audio need a projector: name it with --mmproj"));
    return FALSE;
  }
  if (arguments->image != NULL && arguments->audio != NULL) {
    options_complain (g_get_prgname (), "%s", _("--image and --audio cannot be measured together"));
    return FALSE;
  }
  return TRUE;
}

int
command_bench (int argc, char **argv)
{
  Arguments arguments = { .prefill = 512, .decode = 128, .repeat = 3 };
  g_autoptr (FacetModel) model = NULL;
  Results results = { .prefill = rates_new (), .decode = rates_new (), .host = g_array_new (FALSE, FALSE, sizeof (double)) };
  g_autoptr (GError) error = NULL;
  FacetCancel cancel = { 0 };
  struct rusage usage;
  gint64 start;
  int status = EXIT_USAGE;

  if (!parse_arguments (&arguments, argc, argv))
    goto out;
  if (arguments.image != NULL || arguments.audio != NULL) {
    status = bench_encoder (&arguments.options, arguments.image, arguments.audio, arguments.repeat);
    goto out;
  }
  if (arguments.counts) {
    status = bench_counts (&arguments.options, arguments.prefill, arguments.depth);
    goto out;
  }
  status = EXIT_FAILED;
  start = g_get_monotonic_time ();
  model = options_load_model (&arguments.options, NULL);
  if (model == NULL)
    goto out;
  results.load_ms = (g_get_monotonic_time () - start) / 1000.0;
  interrupt_install ();
  interrupt_guard (&cancel);
  if (!measure (&arguments, model, &results, &cancel, &error)) {
    report_error (error);
    status = report_status (error);
    goto out;
  }
  interrupt_guard (NULL);
  getrusage (RUSAGE_SELF, &usage);
  results.peak_rss = (guint64) usage.ru_maxrss * 1024;
  if (arguments.options.json)
    print_json (&results);
  else
    print_results (&arguments, model, &results);
  status = EXIT_OK;

out:
  rates_clear (&results.prefill);
  rates_clear (&results.decode);
  g_array_unref (results.host);
  g_free (arguments.image);
  g_free (arguments.audio);
  options_clear (&arguments.options);
  return status;
}
