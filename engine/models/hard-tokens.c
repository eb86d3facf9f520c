#include "models/hard-tokens.h"

#include "models/loader.h"

#define EPS 1e-6f
#define MAX_SIDE (1 << 16)

typedef struct {
  const FacetTensor *table, *norm, *projection;
} Tensors;

void
facet_hard_tokens_clear (FacetHardTokens *tokens)
{
  g_clear_pointer (&tokens->rows, g_free);
  tokens->n = 0;
}

static FacetGraph *
describe (const Tensors *t)
{
  FacetGraph *g = facet_graph_new ();
  int x = facet_g_rms_norm (g, facet_g_table (g, t->table), t->norm, (int) t->table->ne[0], EPS);

  x = facet_g_matmul (g, x, t->projection, NULL);
  facet_graph_set_result (g, facet_g_rms_norm (g, x, NULL, (int) t->projection->ne[1], EPS));
  return g;
}

static gboolean
compute (FacetHardTokens *tokens, const Tensors *t, FacetBackend *backend, GError **error)
{
  g_autoptr (FacetGraph) graph = describe (t);
  FacetPlan *plan = backend->klass->compile (backend, graph, NULL, 1, 1, error);
  FacetStep step = { .n = 1 };
  gboolean ok;

  if (plan == NULL)
    return FALSE;
  ok = backend->klass->run (plan, &step, NULL, error);
  if (ok) {
    tokens->n = (int) t->table->ne[1];
    tokens->width = (int) t->projection->ne[1];
    tokens->rows = g_memdup2 (backend->klass->value (plan, facet_graph_result (graph)),
                              (gsize) tokens->n * tokens->width * sizeof (float));
  }
  backend->klass->plan_free (plan);
  return ok;
}

static const FacetTensor *
find_table (FacetGguf *gguf, gboolean audio)
{
  return facet_gguf_tensor (gguf, audio ? "mm.a.embedding.weight" : "mm.embedding.weight");
}

int
facet_hard_tokens_count (FacetGguf *gguf, gboolean audio)
{
  const FacetTensor *table = find_table (gguf, audio);

  return table != NULL ? (int) MIN (table->ne[1], MAX_SIDE) : 0;
}

gboolean
facet_hard_tokens_load (FacetHardTokens *tokens, FacetGguf *gguf, gboolean audio, int width, FacetBackend *backend, GError **error)
{
  const char *prefix = audio ? "mm.a" : "mm";
  const FacetTensor *table = find_table (gguf, audio);
  gint64 inner = table != NULL ? MIN (table->ne[0], MAX_SIDE) : 1;
  g_autoptr (GPtrArray) owned = NULL;
  FacetLoader loader;
  Tensors t;

  *tokens = (FacetHardTokens) { 0 };
  facet_loader_init (&loader, gguf, "clip");
  t.table = facet_loader_matrix (&loader, inner, facet_hard_tokens_count (gguf, audio), "%s.embedding.weight", prefix);
  t.norm = facet_loader_vector (&loader, inner, "%s.hard_emb_norm.weight", prefix);
  t.projection = facet_loader_matrix (&loader, inner, width, "%s.input_projection.weight", prefix);
  return facet_loader_finish (&loader, &owned, error) && compute (tokens, &t, backend, error);
}
