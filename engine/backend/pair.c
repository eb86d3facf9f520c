#include "backend/pair-private.h"

/* Nodes first .. of a plan, on one side. */
typedef struct {
  FacetBackend *backend;
  FacetGraph   *own;      /* NULL: the whole graph */
  FacetPlan    *plan;
  GArray       *inputs;   /* int: nodes of the whole, by slot */
  int          *numbers;  /* of the whole's nodes in this part; NULL: the same */
} Part;

struct FacetPlan {
  FacetPair *pair;
  FacetKv   *kv;
  FacetSide  side;        /* of the last part, which stores what both sides may hold */
  Part       parts[2];
  int        n_parts;
  const float **values;   /* inputs of the second part */
};

FacetBackend *
facet_pair_processor (FacetBackend *backend)
{
  FacetPair *pair = (FacetPair *) backend;

  if (pair->sides[FACET_SIDE_CPU] == NULL)
    pair->sides[FACET_SIDE_CPU] = facet_cpu_backend_new (pair->params.threads, pair->params.exact);
  return pair->sides[FACET_SIDE_CPU];
}

static gboolean
supports (FacetBackend *backend, const FacetGraph *graph, GError **error)
{
  FacetBackend *device = ((FacetPair *) backend)->sides[FACET_SIDE_DEVICE];

  return device->klass->supports == NULL || device->klass->supports (device, graph, error);
}

/* ---- plans ---- */

static void
plan_free (FacetPlan *plan)
{
  for (int p = 0; p < 2; p++) {
    Part *part = &plan->parts[p];

    if (part->plan != NULL)
      part->backend->klass->plan_free (part->plan);
    facet_graph_free (part->own);
    g_clear_pointer (&part->inputs, g_array_unref);
    g_free (part->numbers);
  }
  g_free (plan->values);
  g_free (plan);
}

static void
divide (FacetPlan *plan, const FacetGraph *graph, int at)
{
  int n = facet_graph_n_nodes (graph);
  Part *first = &plan->parts[0], *second = &plan->parts[1];
  g_autoptr (GArray) none = g_array_new (FALSE, FALSE, sizeof (int));

  first->numbers = g_new (int, n);
  second->numbers = g_new (int, n);
  second->inputs = g_array_new (FALSE, FALSE, sizeof (int));
  second->own = facet_graph_part (graph, at, n, NULL, second->inputs, second->numbers);
  first->own = facet_graph_part (graph, 0, at, second->inputs, none, first->numbers);
  /* Its inputs are nodes of the first part. */
  for (int i = 0; i < at; i++)
    second->numbers[i] = -1;
  plan->values = g_new (const float *, second->inputs->len + 1);
}

static gboolean
compile_part (FacetPlan *plan, int p, FacetSide side, const FacetGraph *graph, int max_rows, int max_outputs, GError **error)
{
  Part *part = &plan->parts[p];
  FacetBackend *pair = &plan->pair->base;

  part->backend = side == FACET_SIDE_CPU ? facet_pair_processor (&plan->pair->base) : plan->pair->sides[side];
  part->backend->cancel = pair->cancel;
  part->backend->progress = pair->progress;
  part->backend->progress_data = pair->progress_data;
  part->plan = part->backend->klass->compile (part->backend, part->own != NULL ? part->own : graph, plan->kv != NULL ? plan->kv->of[side] : NULL,
                                              max_rows, max_outputs, error);
  part->backend->cancel = NULL;
  part->backend->progress = NULL;
  return part->plan != NULL;
}

static FacetPlan *
compile (FacetBackend *backend, const FacetGraph *graph, FacetKv *kv, int max_rows, int max_outputs, GError **error)
{
  FacetPair *pair = (FacetPair *) backend;
  FacetPlan *plan = g_new0 (FacetPlan, 1);
  gboolean alone = kv != NULL && kv->alone[max_rows > 1];
  int at = kv != NULL ? facet_pair_first_node (graph, kv->cut) : 0;
  gboolean done;

  plan->pair = pair;
  plan->kv = kv;
  plan->side = alone ? FACET_SIDE_CPU : FACET_SIDE_DEVICE;
  plan->n_parts = at > 0 && !alone ? 2 : 1;
  if (plan->n_parts == 2)
    divide (plan, graph, at);
  done = plan->n_parts == 1 ? compile_part (plan, 0, plan->side, graph, max_rows, max_outputs, error)
                            : compile_part (plan, 0, FACET_SIDE_CPU, graph, max_rows, max_outputs, error)
                              && compile_part (plan, 1, FACET_SIDE_DEVICE, graph, max_rows, max_outputs, error);
  if (!done)
    g_clear_pointer (&plan, plan_free);
  return plan;
}

static gsize
plan_bytes (const FacetPlan *plan)
{
  gsize bytes = 0;

  for (int p = 0; p < plan->n_parts; p++)
    bytes += plan->parts[p].backend->klass->plan_bytes (plan->parts[p].plan);
  return bytes;
}

static const float *
part_value (const Part *part, int node)
{
  return part->backend->klass->value (part->plan, part->numbers != NULL ? part->numbers[node] : node);
}

static const float *
value (FacetPlan *plan, int node)
{
  return part_value (&plan->parts[plan->n_parts == 2 && plan->parts[0].numbers[node] < 0 ? 1 : 0], node);
}

static Part *
last_part (FacetPlan *plan)
{
  return &plan->parts[plan->n_parts - 1];
}

static int
best (FacetPlan *plan, FacetBest *out)
{
  Part *part = last_part (plan);

  return part->backend->klass->best != NULL ? part->backend->klass->best (part->plan, out) : -1;
}

static gboolean
fetch (FacetPlan *plan, GError **error)
{
  Part *part = last_part (plan);

  return part->backend->klass->fetch == NULL || part->backend->klass->fetch (part->plan, error);
}

static void
count (FacetPlan *plan, const FacetStep *step, GArray *counts)
{
  for (int p = 0; p < plan->n_parts; p++)
    if (plan->parts[p].backend->klass->count != NULL)
      plan->parts[p].backend->klass->count (plan->parts[p].plan, step, counts);
}

static gboolean
run_parts (FacetPlan *plan, const FacetStep *step, FacetCancel *cancel, GError **error)
{
  FacetStep own = *step;
  Part *parts = plan->parts;

  own.only_best = step->only_best && last_part (plan)->backend->klass->best != NULL;
  if (!parts[0].backend->klass->run (parts[0].plan, &own, cancel, error))
    return FALSE;
  if (plan->n_parts == 1)
    return TRUE;
  for (guint i = 0; i < parts[1].inputs->len; i++)
    plan->values[i] = part_value (&parts[0], g_array_index (parts[1].inputs, int, i));
  own.inputs = plan->values;
  return parts[1].backend->klass->run (parts[1].plan, &own, cancel, error);
}

static gboolean
run (FacetPlan *plan, const FacetStep *step, FacetCancel *cancel, GError **error)
{
  FacetKv *kv = plan->kv;
  FacetSide other = 1 - plan->side;

  if (kv == NULL)
    return run_parts (plan, step, cancel, error);
  if (!facet_pair_catch_up (kv, plan->side, step->position, error))
    return FALSE;
  for (int side = 0; side < FACET_N_SIDES; side++)
    kv->valid[side] = MIN (kv->valid[side], step->position);
  if (!run_parts (plan, step, cancel, error))
    return FALSE;
  kv->valid[plan->side] = step->position + step->n;
  kv->valid[other] = MIN (kv->valid[other], step->position);
  return TRUE;
}

/* ---- the pair ---- */

static void
facts (FacetBackend *backend, FacetDeviceFacts *out)
{
  FacetBackend *device = facet_pair_device (backend);

  device->klass->facts (device, out);
}

static gint64
driver_us (FacetBackend *backend)
{
  FacetPair *pair = (FacetPair *) backend;
  FacetBackend *device = facet_pair_device (backend);

  return pair->cut > 0 || pair->alone[0] ? -1 : device->klass->driver_us (device);
}

static void
forget (FacetBackend *backend)
{
  FacetBackend *device = facet_pair_device (backend);

  device->klass->forget (device);
}

static void
pair_free (FacetBackend *backend)
{
  FacetPair *pair = (FacetPair *) backend;

  for (int side = 0; side < FACET_N_SIDES; side++)
    if (pair->sides[side] != NULL)
      pair->sides[side]->klass->free (pair->sides[side]);
  facet_graph_free ((FacetGraph *) pair->params.graph);
  g_free (pair->home);
  g_free (pair->may_cut);
  g_free (pair->base.description);
  g_free (pair);
}

/* Who computes what with this cache. */
static char *
describe (FacetPair *pair, const FacetKv *kv)
{
  const char *device = pair->sides[FACET_SIDE_DEVICE]->description;
  const char *cpu = kv->of[FACET_SIDE_CPU] != NULL ? pair->sides[FACET_SIDE_CPU]->description : NULL;

  if (kv->of[FACET_SIDE_DEVICE] == NULL)
    return g_strdup (cpu);
  if (kv->twice)
    return g_strdup_printf ("%s, %s on %s", device, kv->alone[0] ? "writing" : "reading", cpu);
  return kv->cut > 0 ? g_strdup_printf ("%s, %d of %d layers on %s", device, kv->cut, pair->n_blocks, cpu) : g_strdup (device);
}

static FacetKv *
kv_new (FacetBackend *backend, const FacetKvLayer *layers, int n_layers, int context, int max_step, FacetKvType type, GError **error)
{
  FacetPair *pair = (FacetPair *) backend;
  FacetKv *kv = facet_pair_kv_new (backend, layers, n_layers, context, max_step, type, error);

  if (kv != NULL) {
    g_free (pair->base.description);
    pair->base.description = describe (pair, kv);
  }
  return kv;
}

static const FacetBackendClass pair_class = {
  .name = "pair",
  .supports = supports,
  .compile = compile,
  .plan_free = plan_free,
  .plan_bytes = plan_bytes,
  .run = run,
  .value = value,
  .best = best,
  .fetch = fetch,
  .count = count,
  .kv_new = kv_new,
  .kv_free = facet_pair_kv_free,
  .facts = facts,
  .driver_us = driver_us,
  .forget = forget,
  .free = pair_free,
};

FacetBackend *
facet_pair_new (const FacetPairParams *params)
{
  FacetPair *pair = g_new0 (FacetPair, 1);

  pair->base.klass = &pair_class;
  pair->base.description = g_strdup (params->device->description);
  pair->params = *params;
  pair->sides[FACET_SIDE_DEVICE] = params->device;
  facet_pair_look_over (pair);
  return &pair->base;
}

FacetBackend *
facet_pair_device (FacetBackend *pair)
{
  return ((FacetPair *) pair)->sides[FACET_SIDE_DEVICE];
}

gboolean
facet_pair_set_phases (FacetBackend *backend, gboolean decode_on_cpu, gboolean prefill_on_cpu)
{
  FacetPair *pair = (FacetPair *) backend;
  gboolean changed = pair->alone[0] != decode_on_cpu || pair->alone[1] != prefill_on_cpu;

  pair->alone[0] = decode_on_cpu;
  pair->alone[1] = prefill_on_cpu;
  return changed;
}

gboolean
facet_pair_shrink (FacetBackend *backend)
{
  FacetPair *pair = (FacetPair *) backend;
  int next = MAX (pair->cut, pair->at_least) + 1 + pair->n_blocks / 16;

  while (next < pair->n_blocks && !pair->may_cut[next])
    next++;
  pair->at_least = MIN (next, pair->n_blocks);
  return pair->at_least < pair->n_blocks;
}

int
facet_pair_split (FacetBackend *backend, int *n_blocks)
{
  FacetPair *pair = (FacetPair *) backend;

  *n_blocks = pair->n_blocks;
  return pair->cut;
}

gboolean
facet_backend_is_pair (const FacetBackend *backend)
{
  return backend->klass == &pair_class;
}
