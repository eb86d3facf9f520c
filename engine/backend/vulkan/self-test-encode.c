/* One small encode as pictures take it, beside the reference: patches and their
 * places, a block that sees in both directions, pooling and projection. */
#include "backend/vulkan/vk.h"

#include <math.h>

#define SIDE 8      /* patches a side */
#define PATCH 48    /* values a patch */
#define WIDTH 64
#define HEADS 2
#define OUT 32
#define TOLERANCE 1e-3

enum { PATCHES, BIAS, PLACES, GAIN, SHIFT, Q, K, V, UP, DOWN, PROJECT, N_TENSORS };

typedef struct {
  FacetTensor tensors[N_TENSORS];
  FacetGraph *graph;
  float       input[SIDE * SIDE * PATCH];
} Encoder;

static void
fill (FacetTensor *t, gint64 columns, gint64 rows, double scale, GRand *rand)
{
  float *data = g_new (float, columns * rows);

  for (gint64 i = 0; i < columns * rows; i++)
    data[i] = (float) g_rand_double_range (rand, -scale, scale);
  *t = (FacetTensor) { .name = "", .dtype = FACET_F32, .ne = { columns, rows, 1, 1 }, .data = data,
                       .bytes = sizeof (float) * (gsize) (columns * rows) };
}

static void
encoder_init (Encoder *e)
{
  static const struct { gint64 columns, rows; double scale; } shapes[N_TENSORS] = {
    [PATCHES] = { PATCH, WIDTH, 0.3 }, [BIAS] = { WIDTH, 1, 0.1 },   [PLACES] = { WIDTH, SIDE * SIDE, 1 }, [GAIN] = { WIDTH, 1, 2 },
    [SHIFT] = { WIDTH, 1, 0.5 },       [Q] = { WIDTH, WIDTH, 0.3 },  [K] = { WIDTH, WIDTH, 0.3 },          [V] = { WIDTH, WIDTH, 0.3 },
    [UP] = { WIDTH, 2 * WIDTH, 0.3 },  [DOWN] = { 2 * WIDTH, WIDTH, 0.2 }, [PROJECT] = { WIDTH, OUT, 0.3 },
  };
  FacetAttention at = { .cache = -1, .n_head = HEADS, .n_kv = HEADS, .head_k = WIDTH / HEADS, .head_v = WIDTH / HEADS, .scale = 0.2f };
  GRand *rand = g_rand_new_with_seed (2);
  FacetGraph *g = e->graph = facet_graph_new ();
  const FacetTensor *t = e->tensors;
  int h, x;

  for (int i = 0; i < N_TENSORS; i++)
    fill (&e->tensors[i], shapes[i].columns, shapes[i].rows, shapes[i].scale, rand);
  for (int i = 0; i < SIDE * SIDE * PATCH; i++)
    e->input[i] = (float) g_rand_double_range (rand, -1, 1);
  g_rand_free (rand);
  h = facet_g_matmul (g, facet_g_input (g, 0, SIDE * SIDE, PATCH), &t[PATCHES], &t[BIAS]);
  h = facet_g_add (g, h, facet_g_table (g, &t[PLACES]));
  x = facet_g_layer_norm (g, h, &t[GAIN], &t[SHIFT], 1e-6f);
  x = facet_g_attention (g, facet_g_matmul (g, x, &t[Q], NULL), facet_g_matmul (g, x, &t[K], NULL), facet_g_matmul (g, x, &t[V], NULL), &at);
  h = facet_g_add (g, h, x);
  x = facet_g_gelu (g, facet_g_matmul (g, facet_g_layer_norm (g, h, &t[GAIN], &t[SHIFT], 1e-6f), &t[UP], NULL));
  h = facet_g_add (g, h, facet_g_matmul (g, x, &t[DOWN], NULL));
  h = facet_g_rms_norm (g, facet_g_pool (g, h, SIDE, SIDE, 4), NULL, WIDTH, 1e-6f);
  facet_graph_set_result (g, facet_g_matmul (g, h, &t[PROJECT], NULL));
}

static void
encoder_clear (Encoder *e)
{
  facet_graph_free (e->graph);
  for (int i = 0; i < N_TENSORS; i++)
    g_free ((gpointer) e->tensors[i].data);
}

/* Soft tokens, or NULL. */
static float *
encode (FacetBackend *backend, const Encoder *e, gsize n, GError **error)
{
  FacetPlan *plan = backend->klass->compile (backend, e->graph, NULL, 1, 1, error);
  FacetStep step = { .n = 1, .inputs = (const float *const[]) { e->input } };
  float *soft = NULL;

  if (plan != NULL && backend->klass->run (plan, &step, NULL, error))
    soft = g_memdup2 (backend->klass->value (plan, facet_graph_result (e->graph)), n * sizeof (float));
  if (plan != NULL)
    backend->klass->plan_free (plan);
  return soft;
}

gboolean
facet_vk_self_test_encode (FacetVk *vk, FacetBackend *cpu, GError **error)
{
  const gsize n = (SIDE / 4) * (SIDE / 4) * OUT;
  g_autofree Encoder *e = g_new0 (Encoder, 1);
  g_autofree float *ours = NULL, *theirs = NULL;
  gboolean agrees = TRUE;
  double scale = 0;

  encoder_init (e);
  ours = encode (&vk->base, e, n, error);
  theirs = ours != NULL ? encode (cpu, e, n, error) : NULL;
  encoder_clear (e);
  if (theirs == NULL)
    return FALSE;
  for (gsize i = 0; i < n; i++)
    scale = MAX (scale, fabs ((double) theirs[i]));
  for (gsize i = 0; i < n && agrees; i++)
    agrees = fabs ((double) ours[i] - (double) theirs[i]) <= TOLERANCE * scale;
  if (agrees)
    return TRUE;
  g_set_error (error, FACET_ERROR, FACET_ERROR_DEVICE, "an encoded picture disagrees with the reference");
  return FALSE;
}
