#include "backend/cpu/plan.h"

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

void
facet_cpu_step_rope (FacetCpuRun *run, const FacetCpuStep *step, int member)
{
  const FacetPlan *plan = run->plan;
  int rows_a_chunk = 16;
  int n_chunks = (run->step->n + rows_a_chunk - 1) / rows_a_chunk;

  for (int chunk; (chunk = facet_cpu_next_chunk (run, step, n_chunks)) >= 0;) {
    int end = MIN (run->step->n, (chunk + 1) * rows_a_chunk);

    for (int t = 0; t < plan->ropes.n; t++)
      for (int r = chunk * rows_a_chunk; r < end; r++)
        facet_rope_angles_row (&plan->ropes, t, run->step->position + r, plan->rope_cs[t] + (gsize) r * plan->ropes.head[t]);
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
