#include "decoder-run.h"
#include "device.h"
#include "inflate.h"

#include <glib/gstdio.h>

#include <string.h>

#define CONTEXT 512

static char *
kit_path (const char *kind, const char *folder, const char *name)
{
  return g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit", kind, folder, name, NULL);
}

static void
make_soft (KitPrompt *p, int row, const float *embeds, int width)
{
  memcpy (p->soft + (gsize) p->n_soft * width, embeds + (gsize) row * width, width * sizeof (float));
  p->ids[row] = -1 - p->n_soft++;
}

KitPrompt *
kit_prompt_open (const char *folder, const char *name, int width, gint32 image_id, gint32 text_vocab)
{
  g_autofree char *path = kit_path ("expected", folder, name);
  KitPrompt *p = g_new0 (KitPrompt, 1);
  g_autofree gint32 *spans = NULL;
  g_autofree float *embeds = NULL;
  int n_spans;

  p->npz = npz_open (path);
  p->ids = npy_ints (npz_get (p->npz, "input_ids"));
  p->n = npz_get (p->npz, "input_ids")->n;
  p->pos = npy_ints (npz_get (p->npz, "pos"));
  p->n_pos = npz_get (p->npz, "pos")->n;
  spans = npy_ints (npz_get (p->npz, "spans"));
  n_spans = npz_get (p->npz, "spans")->shape[0];
  embeds = npy_floats (npz_get (p->npz, "hf_inputs_embeds"));
  p->soft = g_new (float, (gsize) p->n * width);
  p->visible = g_new (gint32, p->n);
  for (int i = 0; i < p->n; i++)
    p->visible[i] = i;
  for (int s = 0; s < n_spans; s++)
    for (int i = spans[2 * s], end = spans[2 * s] + spans[2 * s + 1]; i < end; i++) {
      if (p->ids[i] == image_id)
        p->visible[i] = end - 1;
      make_soft (p, i, embeds, width);
    }
  for (int i = 0; i < p->n; i++)
    if (p->ids[i] >= text_vocab)
      make_soft (p, i, embeds, width);
  return p;
}

void
kit_prompt_free (KitPrompt *p)
{
  npz_close (p->npz);
  g_free (p->ids);
  g_free (p->soft);
  g_free (p->visible);
  g_free (p->pos);
  g_free (p);
}

char *
kit_model_bytes (const char *folder, const char *file, gsize *size)
{
  g_autofree char *path = kit_path ("models", folder, file), *plain = NULL;
  g_autoptr (GError) error = NULL;
  char *bytes = NULL;

  if (g_str_has_suffix (path, ".gz"))
    plain = inflate_to_temporary (path);
  g_file_get_contents (plain != NULL ? plain : path, &bytes, size, &error);
  g_assert_no_error (error);
  if (plain != NULL)
    g_unlink (plain);
  return bytes;
}

DecoderRun *
decoder_run_open (FacetGguf *gguf, gboolean exact, int threads)
{
  DecoderRun *run = g_new0 (DecoderRun, 1);
  g_autoptr (GError) error = NULL;

  run->gguf = gguf;
  run->decoder = facet_family_for (run->gguf, &error)->load (run->gguf, &error);
  g_assert_no_error (error);
  run->backend = device_backend (threads, exact);
  run->cache = exact ? FACET_KV_F32 : FACET_KV_F16;
  return run;
}

DecoderRun *
decoder_run_new (const char *folder, const char *file, gboolean exact, int threads)
{
  g_autofree char *path = kit_path ("models", folder, file);
  g_autoptr (GError) error = NULL;
  FacetGguf *gguf = facet_gguf_open (path, &error);

  g_assert_no_error (error);
  return decoder_run_open (gguf, exact, threads);
}

void
decoder_run_free (DecoderRun *run)
{
  if (run->kv != NULL)
    run->backend->klass->kv_free (run->kv);
  run->decoder->free (run->decoder);
  run->backend->klass->free (run->backend);
  facet_gguf_close (run->gguf);
  g_free (run);
}

/* Rings as short as steps of @chunk rows allow, so that they wrap. */
static void
new_cache (DecoderRun *run, int chunk)
{
  g_autoptr (GError) error = NULL;

  if (run->kv != NULL)
    run->backend->klass->kv_free (run->kv);
  run->kv = run->backend->klass->kv_new (run->backend, run->decoder->kv_layers, run->decoder->n_kv_layers, CONTEXT,
                                         chunk, run->cache, &error);
  g_assert_no_error (error);
}

static void
report_layers (DecoderRun *run, const FacetGraph *graph, FacetPlan *plan, int rows, DecoderLayerFunc func, gpointer data)
{
  for (int i = 0; i < facet_graph_n_nodes (graph); i++) {
    const FacetNode *node = facet_graph_node (graph, i);

    if (node->layer != FACET_NOT_A_LAYER)
      func (node->layer, run->backend->klass->value (plan, i), rows, node->cols, data);
  }
}

float *
decoder_run_prompt (DecoderRun *run, const KitPrompt *prompt, int chunk, FacetBuild what,
                    const gint32 *outputs, int n_outputs, DecoderLayerFunc func, gpointer user_data)
{
  const FacetBackendClass *klass = run->backend->klass;
  g_autoptr (FacetGraph) graph = run->decoder->build (run->decoder, what);
  g_autoptr (GError) error = NULL;
  gsize vocab = (gsize) run->decoder->vocab;
  float *logits = g_new (float, n_outputs * vocab);
  g_autofree gint32 *wanted = g_new (gint32, n_outputs);
  FacetPlan *plan;

  if (chunk == 0)
    chunk = prompt->n;
  new_cache (run, chunk);
  plan = klass->compile (run->backend, graph, run->kv, chunk, n_outputs, &error);
  g_assert_no_error (error);
  for (int from = 0, done = 0; from < prompt->n; from += chunk) {
    FacetStep step = { .n = MIN (chunk, prompt->n - from), .position = from, .ids = prompt->ids + from, .soft = prompt->soft,
                       .n_soft = prompt->n_soft, .visible = prompt->visible + from, .outputs = wanted };

    while (done + step.n_outputs < n_outputs && outputs[done + step.n_outputs] < from + step.n) {
      wanted[step.n_outputs] = outputs[done + step.n_outputs] - from;
      step.n_outputs++;
    }
    g_assert_true (klass->run (plan, &step, NULL, &error));
    memcpy (logits + done * vocab, klass->value (plan, facet_graph_result (graph)), step.n_outputs * vocab * sizeof (float));
    done += step.n_outputs;
    if (func != NULL)
      report_layers (run, graph, plan, step.n, func, user_data);
  }
  klass->plan_free (plan);
  return logits;
}

DecoderNodes
decoder_run_count (const DecoderRun *run)
{
  g_autoptr (FacetGraph) graph = run->decoder->build (run->decoder, FACET_BUILD_NORMAL);
  DecoderNodes count = { 0 };

  for (int i = 0; i < facet_graph_n_nodes (graph); i++) {
    const FacetNode *node = facet_graph_node (graph, i);

    count.stores += node->op == FACET_OP_KV_STORE;
    count.of_tokens += node->op == FACET_OP_ATTENTION && node->rows == FACET_ROWS_TOKENS;
    count.of_outputs += node->op == FACET_OP_ATTENTION && node->rows == FACET_ROWS_OUTPUTS;
  }
  return count;
}

float *
decoder_run_token (DecoderRun *run, gint32 id, int position)
{
  const FacetBackendClass *klass = run->backend->klass;
  g_autoptr (FacetGraph) graph = run->decoder->build (run->decoder, FACET_BUILD_NORMAL);
  g_autoptr (GError) error = NULL;
  FacetStep step = { .n = 1, .position = position, .ids = &id, .outputs = (const gint32[]) { 0 }, .n_outputs = 1 };
  FacetPlan *plan = klass->compile (run->backend, graph, run->kv, 1, 1, &error);
  float *logits;

  g_assert_no_error (error);
  g_assert_true (klass->run (plan, &step, NULL, &error));
  logits = g_memdup2 (klass->value (plan, facet_graph_result (graph)), run->decoder->vocab * sizeof (float));
  klass->plan_free (plan);
  return logits;
}
