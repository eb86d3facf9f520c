/* Caches of every type: what the reference computes with keys and values that
 * are rounded as these are (kit/make-cache-types.py). */
#include "decoder-run.h"
#include "device.h"

#include <math.h>

#define ROWS 12

typedef struct {
  const char *name;            /* in expected/, of the values */
  const char *prompts;         /* in expected/ */
  const char *models, *file;
  int         vocab, width, text_vocab;
  gint32      image_id;
  gboolean    blocks;          /* its heads are whole blocks of q8_0 */
} Family;

static const Family families[] = {
  { "gemma3", "gemma3", "gemma3-tiny", "text-f32.gguf", 833, 256, 833, 832, TRUE },
  { "gemma3n", "gemma3n", "gemma3n-tiny", "text-f32.gguf.gz", 368, 32, 352, 353, FALSE },
  { "gemma4", "gemma4", "gemma4-tiny", "text-f32.gguf", 640, 256, 640, 20, FALSE },
  { "gemma4-heads", "gemma4", "gemma4-heads-tiny", "text-q8_0.gguf", 640, 256, 640, 20, TRUE },
};

static const struct {
  const char *name;
  FacetKvType type;
  double      loses;  /* at least, of these models' logits */
  double      moved;  /* at most, as a part of that; measured, with room */
} types[] = {
  { "f32", FACET_KV_F32, 0, 0 },
  { "f16", FACET_KV_F16, 1e-3, 0.75 },
  { "q8_0", FACET_KV_Q8_0, 1e-2, 0.25 },
};

typedef struct {
  const Family *family;
  const char   *prompt;
  int           chunk;  /* rows a step (0: all) */
} Case;

/* rms |a - b|, which a single number does not decide. */
static double
rms_distance (const float *a, const float *b, gsize n)
{
  double sum = 0;

  for (gsize i = 0; i < n; i++)
    sum += ((double) a[i] - (double) b[i]) * ((double) a[i] - (double) b[i]);
  return sqrt (sum / (double) n);
}

/* Twice, which must give the same bits. Returns: (transfer full): logits of the last rows. */
static float *
compute (const Case *c, DecoderRun *run, const KitPrompt *prompt)
{
  gsize n = (gsize) ROWS * c->family->vocab;
  gint32 last[ROWS];
  float *logits;
  g_autofree float *again = NULL;

  for (int i = 0; i < ROWS; i++)
    last[i] = prompt->n - ROWS + i;
  logits = decoder_run_prompt (run, prompt, c->chunk, FACET_BUILD_NORMAL, last, ROWS, NULL, NULL);
  again = decoder_run_prompt (run, prompt, c->chunk, FACET_BUILD_NORMAL, last, ROWS, NULL, NULL);
  g_assert_cmpmem (again, n * sizeof (float), logits, n * sizeof (float));
  return logits;
}

/* A number between two steps goes to either with the last bits of what came
 * before, and then moves others: less than what rounding itself changes, which
 * another rounding, or none, would be off by. */
static void
check_type (const Case *c, DecoderRun *run, const KitPrompt *prompt, Npz *values, int type)
{
  g_autofree char *key = g_strdup_printf ("%s.%s", c->prompt, types[type].name), *plain_key = g_strdup_printf ("%s.f32", c->prompt);
  g_autofree float *expected = npy_floats (npz_get (values, key)), *plain = npy_floats (npz_get (values, plain_key)), *logits = NULL;
  gsize n = (gsize) ROWS * c->family->vocab;
  double rel, loses, moved;

  run->cache = types[type].type;
  logits = compute (c, run, prompt);
  rel = relative_error (logits, expected, n);
  loses = relative_error (expected, plain, n);
  moved = rms_distance (logits, expected, n) / rms_distance (expected, plain, n);
  g_test_message ("%s: rel %.1e; the type loses %.1e; moved by %.2f of that", key, rel, loses, moved);
  g_assert_cmpfloat (loses, >=, types[type].loses);
  if (types[type].type == FACET_KV_F32)
    g_assert_cmpfloat (rel, <=, 1e-4);
  else
    g_assert_cmpfloat (moved, <=, types[type].moved);
}

static void
test_types (gconstpointer data)
{
  const Case *c = data;
  const Family *f = c->family;
  g_autofree char *prompt_file = g_strconcat (c->prompt, ".npz", NULL);
  g_autofree char *path = g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit", "expected", f->name, "cache.npz", NULL);
  g_autoptr (KitPrompt) prompt = kit_prompt_open (f->prompts, prompt_file, f->width, f->image_id, f->text_vocab);
  g_autoptr (Npz) values = npz_open (path);
  gsize size;
  g_autofree char *bytes = kit_model_bytes (f->models, f->file, &size);
  g_autoptr (GError) error = NULL;
  FacetGguf *gguf = facet_gguf_open_bytes (bytes, size, f->file, &error);
  g_autoptr (DecoderRun) run = NULL;

  g_assert_no_error (error);
  run = decoder_run_open (gguf, TRUE, 1);
  for (guint t = 0; t < G_N_ELEMENTS (types); t++)
    if (types[t].type != FACET_KV_Q8_0 || f->blocks)
      check_type (c, run, prompt, values, (int) t);
}

int
main (int argc, char **argv)
{
  /* Steps of 16 rows: rings wrap. A picture that sees all of itself is not cut. */
  static const Case cases[] = {
    { &families[0], "text", 16 }, { &families[0], "text", 1 }, { &families[0], "interleaved", 0 },
    { &families[1], "text", 16 }, { &families[1], "interleaved", 16 },
    { &families[2], "text", 16 }, { &families[2], "interleaved", 16 },
    { &families[3], "text", 16 }, { &families[3], "text", 1 }, { &families[3], "interleaved", 16 },
  };

  g_test_init (&argc, &argv, NULL);
  if (device_missing ())
    return TEST_SKIPPED;
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strdup_printf ("/cache-types/%s/%s/steps-of-%d", cases[i].family->name, cases[i].prompt, cases[i].chunk);

    g_test_add_data_func (path, &cases[i], test_types);
  }
  return g_test_run ();
}
