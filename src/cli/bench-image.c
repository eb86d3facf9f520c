#include "bench-image.h"

#include <stdio.h>

#include <glib/gi18n.h>

#include "commands.h"
#include "interrupt.h"
#include "json.h"
#include "report.h"

typedef struct {
  GArray *ms;     /* of double, ascending */
  int     tokens;
  double  work;   /* operations of one picture */
  double  peak;   /* operations a second; 0: not of a processor */
  char   *backend;
} Results;

static void
results_clear (Results *results)
{
  g_clear_pointer (&results->ms, g_array_unref);
  g_clear_pointer (&results->backend, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Results, results_clear)

static int
compare_doubles (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

static double
time_at (const Results *results, double share)
{
  return g_array_index (results->ms, double, (guint) (share * (results->ms->len - 1)));
}

/* Part of the peak that the median run reaches. */
static double
share_of_peak (const Results *results)
{
  return results->work / (time_at (results, 0.5) / 1000) / results->peak;
}

static gboolean
measure (const Options *options, const char *path, int repeat, FacetCancel *cancel, Results *results, GError **error)
{
  FacetModelParams params = { .backend = options->backend, .device = options->device, .threads = options->threads,
                              .exact = options->exact, .image_detail = options->image_detail };
  g_autoptr (FacetProjector) projector = facet_projector_load (options->mmproj, &params, error);
  g_autoptr (FacetImage) image = projector != NULL ? facet_image_load (path, error) : NULL;

  if (image == NULL)
    return FALSE;
  results->backend = g_strdup (facet_projector_backend_name (projector));
  results->tokens = facet_projector_count (projector, image);
  results->work = (double) facet_projector_work (projector, image, error);
  facet_projector_set_budget (projector, 0);
  for (int i = 0; results->work > 0 && i <= repeat; i++) {
    gint64 start = g_get_monotonic_time ();
    g_autoptr (GBytes) soft = facet_projector_encode (projector, image, 0, cancel, error);
    double ms = (g_get_monotonic_time () - start) / 1000.0;

    if (soft == NULL)
      return FALSE;
    if (i > 0) /* the first one pages in the weights */
      g_array_append_val (results->ms, ms);
  }
  return results->work > 0;
}

static void
print_json (const Results *results)
{
  g_autoptr (GString) json = g_string_new ("{");

  json_integer (json, "tokens", results->tokens);
  json_open (json, "encode_ms", '{');
  json_number (json, "min", time_at (results, 0));
  json_number (json, "median", time_at (results, 0.5));
  json_number (json, "max", time_at (results, 1));
  json_close (json, '}');
  json_number (json, "gflop", results->work / 1e9);
  json_number (json, "gflop_per_s", results->work / time_at (results, 0.5) / 1e6);
  if (results->peak > 0) {
    json_number (json, "peak_gflop_per_s", results->peak / 1e9);
    json_number (json, "share_of_peak", share_of_peak (results));
  }
  json_string (json, "backend", results->backend, -1);
  json_close (json, '}');
  json_print (json);
}

static void
print_text (const Results *results)
{
  printf (_("%s: a picture becomes %d tokens; median of %u (least to most)\n"), results->backend, results->tokens, results->ms->len);
  printf (_("%-10s %8.1f ms (%.1f to %.1f)\n"), _("encode"), time_at (results, 0.5), time_at (results, 0), time_at (results, 1));
  printf (_("%-10s %8.1f GFLOP, %.1f GFLOP/s\n"), _("work"), results->work / 1e9, results->work / time_at (results, 0.5) / 1e6);
  if (results->peak > 0)
    printf (_("%-10s %8.1f %% of %.1f GFLOP/s, the processor's most in 32-bit floats\n"), _("share"), 100 * share_of_peak (results),
            results->peak / 1e9);
}

int
bench_image (const Options *options, const char *path, int repeat)
{
  g_auto (Results) results = { .ms = g_array_new (FALSE, FALSE, sizeof (double)) };
  g_autoptr (GError) error = NULL;
  FacetCancel cancel = { 0 };
  gboolean done;

  interrupt_install ();
  interrupt_guard (&cancel);
  done = measure (options, path, repeat, &cancel, &results, &error);
  interrupt_guard (NULL);
  if (!done) {
    report_error (error);
    return report_status (error);
  }
  g_array_sort (results.ms, compare_doubles);
  if (g_str_has_prefix (results.backend, "cpu"))
    results.peak = facet_measure_peak (options->threads);
  if (options->json)
    print_json (&results);
  else
    print_text (&results);
  return EXIT_OK;
}
