#include "backend/choose.h"

#include "backend/vulkan/vulkan.h"

FacetBackend *
facet_backend_choose (const FacetModelParams *params, GError **error)
{
  static const FacetModelParams usual;
  g_autoptr (GError) no_device = NULL;
  FacetBackend *backend;

  if (params == NULL)
    params = &usual;
  if (params->backend == FACET_BACKEND_VULKAN)
    return facet_vulkan_backend_new (params->device, params, error);
  /* Exact figures are the reference's. */
  if (params->backend == FACET_BACKEND_AUTO && !params->exact) {
    backend = facet_vulkan_backend_new (0, params, &no_device);
    if (backend != NULL)
      return backend;
    if (g_error_matches (no_device, FACET_ERROR, FACET_ERROR_CANCELLED)) {
      g_propagate_error (error, g_steal_pointer (&no_device));
      return NULL;
    }
    g_info ("%s", no_device->message);
  }
  return facet_cpu_backend_new (params->threads, params->exact);
}

gboolean
facet_backend_is_cpu (const FacetBackend *backend)
{
  return g_str_equal (backend->klass->name, "cpu");
}

static void
report (guint64 done, guint64 total, gpointer data)
{
  const FacetModelParams *params = data;

  params->progress (FACET_PHASE_LOAD, done, total, params->user_data);
}

void
facet_backend_watch (FacetBackend *backend, const FacetModelParams *params)
{
  backend->cancel = params != NULL ? params->cancel : NULL;
  backend->progress = params != NULL && params->progress != NULL ? report : NULL;
  backend->progress_data = (gpointer) params;
}
