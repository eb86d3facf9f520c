#include "bench-encoder.h"

#include <stdio.h>

#include <glib/gi18n.h>

#include "commands.h"
#include "interrupt.h"
#include "json.h"
#include "report.h"
#include "spread.h"

typedef struct {
  FacetProjector *projector;
  FacetImage     *image; /* or NULL */
  FacetAudio     *audio; /* or NULL */
  GArray *runs;    /* of double: milliseconds of each */
  Spread  ms;
  int     tokens;
  double  seconds; /* of sound */
  double  work;    /* operations of encoding once */
  double  peak;    /* operations a second; 0: not of a processor */
} Bench;

static void
bench_clear (Bench *bench)
{
  g_clear_pointer (&bench->runs, g_array_unref);
  g_clear_pointer (&bench->image, facet_image_unref);
  g_clear_pointer (&bench->audio, facet_audio_unref);
  g_clear_pointer (&bench->projector, facet_projector_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Bench, bench_clear)

/* Part of the peak that the median run reaches. */
static double
share_of_peak (const Bench *bench)
{
  return bench->work / (bench->ms.median / 1000) / bench->peak;
}

/* Seconds of sound that a second of the median run encodes. */
static double
times_real_time (const Bench *bench)
{
  return bench->seconds / (bench->ms.median / 1000);
}

static gboolean
read_image (Bench *bench, const char *path, GError **error)
{
  bench->image = facet_image_load (path, error);
  if (bench->image == NULL)
    return FALSE;
  bench->tokens = facet_projector_count (bench->projector, bench->image);
  bench->work = (double) facet_projector_work (bench->projector, bench->image, error);
  return bench->work > 0;
}

static gboolean
read_audio (Bench *bench, const char *path, FacetCancel *cancel, GError **error)
{
  bench->audio = facet_audio_load (path, cancel, error);
  if (bench->audio == NULL)
    return FALSE;
  bench->seconds = facet_audio_duration (bench->audio);
  bench->tokens = facet_projector_count_audio (bench->projector, bench->audio, error);
  if (bench->tokens < 0)
    return FALSE;
  bench->work = (double) facet_projector_audio_work (bench->projector, bench->audio, error);
  return bench->work > 0;
}

static gboolean
measure (Bench *bench, int repeat, FacetCancel *cancel, GError **error)
{
  facet_projector_set_budget (bench->projector, 0);
  for (int i = 0; i <= repeat; i++) {
    gint64 start = g_get_monotonic_time ();
    g_autoptr (GBytes) soft = bench->image != NULL ? facet_projector_encode (bench->projector, bench->image, 0, cancel, error)
                                                   : facet_projector_encode_audio (bench->projector, bench->audio, cancel, error);
    double ms = (g_get_monotonic_time () - start) / 1000.0;

    if (soft == NULL)
      return FALSE;
    if (i > 0) /* the first one pages in the weights */
      g_array_append_val (bench->runs, ms);
  }
  bench->ms = spread_of (bench->runs);
  return TRUE;
}

static gboolean
run (Bench *bench, const Options *options, const char *image, const char *audio, int repeat, FacetCancel *cancel, GError **error)
{
  FacetModelParams params = { .backend = options->backend, .device = options->device, .threads = options->threads,
                              .exact = options->exact, .image_detail = options->image_detail };

  bench->projector = facet_projector_load (options->mmproj, &params, error);
  if (bench->projector == NULL)
    return FALSE;
  return (image != NULL ? read_image (bench, image, error) : read_audio (bench, audio, cancel, error))
         && measure (bench, repeat, cancel, error);
}

static void
print_json (const Bench *bench)
{
  g_autoptr (GString) json = g_string_new ("{");

  json_integer (json, "tokens", bench->tokens);
  spread_json (json, "encode_ms", &bench->ms);
  if (bench->audio != NULL) {
    json_number (json, "seconds", bench->seconds);
    json_number (json, "times_real_time", times_real_time (bench));
  }
  json_number (json, "gflop", bench->work / 1e9);
  json_number (json, "gflop_per_s", bench->work / bench->ms.median / 1e6);
  if (bench->peak > 0) {
    json_number (json, "peak_gflop_per_s", bench->peak / 1e9);
    json_number (json, "share_of_peak", share_of_peak (bench));
  }
  json_string (json, "backend", facet_projector_backend_name (bench->projector), -1);
  json_close (json, '}');
  json_print (json);
}

static void
print_text (const Bench *bench)
{
  const char *backend = facet_projector_backend_name (bench->projector);

  if (bench->image != NULL)
    printf (_("%s: a picture becomes %d tokens; median of %u (least to most)\n"), backend, bench->tokens, bench->runs->len);
  else
    printf (_("%s: %.1f seconds of sound become %d tokens; median of %u (least to most)\n"), backend, bench->seconds, bench->tokens,
            bench->runs->len);
  printf (_("%-10s %8.1f ms (%.1f to %.1f)\n"), _("encode"), bench->ms.median, bench->ms.min, bench->ms.max);
  if (bench->audio != NULL)
    printf (_("%-10s %8.1f times real time\n"), _("speed"), times_real_time (bench));
  printf (_("%-10s %8.1f GFLOP, %.1f GFLOP/s\n"), _("work"), bench->work / 1e9, bench->work / bench->ms.median / 1e6);
  if (bench->peak > 0)
    printf (_("%-10s %8.1f %% of %.1f GFLOP/s, the processor's most in 32-bit floats\n"), _("share"), 100 * share_of_peak (bench),
            bench->peak / 1e9);
}

int
bench_encoder (const Options *options, const char *image, const char *audio, int repeat)
{
  g_auto (Bench) bench = { .runs = g_array_new (FALSE, FALSE, sizeof (double)) };
  g_autoptr (GError) error = NULL;
  FacetCancel cancel = { 0 };
  gboolean done;

  interrupt_install ();
  interrupt_guard (&cancel);
  done = run (&bench, options, image, audio, repeat, &cancel, &error);
  interrupt_guard (NULL);
  if (!done) {
    report_error (error);
    return report_status (error);
  }
  if (g_str_has_prefix (facet_projector_backend_name (bench.projector), "cpu"))
    bench.peak = facet_measure_peak (options->threads);
  if (options->json)
    print_json (&bench);
  else
    print_text (&bench);
  return EXIT_OK;
}
