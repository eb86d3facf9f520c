#include "backend/cpu/plan.h"

static gsize
plan_bytes (const FacetPlan *plan)
{
  return plan->arena_bytes;
}

static const float *
value (FacetPlan *plan, int node)
{
  return plan->values[node].data;
}

static void
cpu_free (FacetBackend *backend)
{
  FacetCpu *cpu = (FacetCpu *) backend;

  facet_pool_free (cpu->pool);
  g_free (backend->description);
  g_free (cpu);
}

static const FacetBackendClass cpu_class = {
  .name = "cpu",
  .compile = facet_cpu_compile,
  .plan_free = facet_cpu_plan_free,
  .plan_bytes = plan_bytes,
  .run = facet_cpu_plan_run,
  .value = value,
  .kv_new = facet_cpu_kv_new,
  .kv_free = facet_cpu_kv_free,
  .kv_copy = facet_cpu_kv_copy,
  .free = cpu_free,
};

FacetBackend *
facet_cpu_backend_new (int threads, gboolean exact)
{
  FacetCpu *cpu = g_new0 (FacetCpu, 1);
  int members = threads > 0 ? threads : facet_pool_default_members ();

  cpu->base.klass = &cpu_class;
  cpu->kernels = facet_kernels_get ();
  cpu->exact = exact;
  cpu->pool = facet_pool_new (members);
  cpu->base.description = g_strdup_printf ("cpu (%s, %d %s%s)", cpu->kernels->name, members,
                                           members == 1 ? "thread" : "threads", exact ? ", exact" : "");
  return &cpu->base;
}
