#include "backend/cpu/plan.h"

#include <math.h>

int
facet_cpu_rows (const FacetCpuRun *run, int rows)
{
  return rows == FACET_ROWS_TOKENS ? run->step->n : rows == FACET_ROWS_OUTPUTS ? run->step->n_outputs : rows;
}

int
facet_cpu_next_chunk (FacetCpuRun *run, const FacetCpuStep *step, int n_chunks)
{
  int chunk;

  if (facet_is_cancelled (run->cancel))
    return -1;
  chunk = g_atomic_int_add (&run->counters[step - run->plan->steps], 1);
  return chunk < n_chunks ? chunk : -1;
}

void
facet_cpu_emit (const FacetPlan *plan, int node, int row, int c0, int c1)
{
  const FacetValue *v = &plan->values[node];
  gsize at = (gsize) row * facet_graph_node (plan->graph, node)->cols + c0;
  FacetQ8 slice = { v->q8.q + at, v->q8.d + at / 32, v->q8.off + at / 32, v->q8.off16 + at / 16 };

  if (v->q8.q != NULL)
    plan->cpu->kernels->quantize_q8 (v->data + at, &slice, 0, c1 - c0);
}

/* Angles as the original does: a 32-bit frequency times a 32-bit position. */
void
facet_cpu_step_rope (FacetCpuRun *run, const FacetCpuStep *step, int member)
{
  const FacetPlan *plan = run->plan;
  int rows_a_chunk = 16;
  int n_chunks = (run->step->n + rows_a_chunk - 1) / rows_a_chunk;
  int *heads = g_newa0 (int, plan->n_ropes);

  for (int i = 0; i < facet_graph_n_nodes (plan->graph); i++)
    if (plan->rope_table[i] >= 0)
      heads[plan->rope_table[i]] = facet_graph_node (plan->graph, i)->u.rope.head;
  for (int chunk; (chunk = facet_cpu_next_chunk (run, step, n_chunks)) >= 0;) {
    int end = MIN (run->step->n, (chunk + 1) * rows_a_chunk);

    for (int t = 0; t < plan->n_ropes; t++)
      for (int r = chunk * rows_a_chunk; r < end; r++) {
        int half = heads[t] / 2;
        float *c = plan->rope_cs[t] + (gsize) r * heads[t], *s = c + half;
        float position = (float) (run->step->position + r);

        for (int d = 0; d < half; d++) {
          float angle = position * plan->rope_inv[t][d];

          c[d] = cosf (angle);
          s[d] = sinf (angle);
        }
      }
  }
}

static void
run_member (gpointer data, int member, int members)
{
  FacetCpuRun *run = data;
  FacetPlan *plan = run->plan;

  for (int s = 0; s < plan->n_steps; s++) {
    plan->steps[s].run (run, &plan->steps[s], member);
    /* Compared with s, so that a slow member cannot mistake a later stop for this step's. */
    if (member == 0 && facet_is_cancelled (run->cancel))
      g_atomic_int_set (&run->stop_at, s);
    facet_pool_barrier (plan->cpu->pool);
    if (member == 0 && run->step->progress != NULL)
      run->step->progress (s + 1, plan->n_steps, run->step->progress_data);
    if (g_atomic_int_get (&run->stop_at) == s)
      break;
  }
}

gboolean
facet_cpu_plan_run (FacetPlan *plan, const FacetStep *step, FacetCancel *cancel, GError **error)
{
  g_autofree gint *counters = g_new0 (gint, plan->n_steps);
  FacetCpuRun run = { plan, step, cancel, counters, -1 };

  g_assert (step->n >= 0 && step->n <= plan->max_rows && step->n_outputs <= plan->max_outputs);
  facet_pool_run (plan->cpu->pool, run_member, &run);
  if (run.stop_at >= 0 || facet_is_cancelled (cancel)) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_CANCELLED, "cancelled");
    return FALSE;
  }
  return TRUE;
}
