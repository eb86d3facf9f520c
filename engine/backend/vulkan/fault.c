#include "backend/vulkan/fault.h"

static struct {
  gint count, nth;
} faults[FACET_VK_N_FAULTS];

static const char *swapped, *swapped_with, *loader;

void
facet_vk_fault_arm (FacetVkFault kind, int nth)
{
  g_atomic_int_set (&faults[kind].count, 0);
  g_atomic_int_set (&faults[kind].nth, nth);
}

int
facet_vk_fault_count (FacetVkFault kind)
{
  return g_atomic_int_get (&faults[kind].count);
}

gboolean
facet_vk_fault (FacetVkFault kind)
{
  int call = g_atomic_int_add (&faults[kind].count, 1) + 1, nth = g_atomic_int_get (&faults[kind].nth);

  return call == nth || (nth < 0 && call >= -nth);
}

static const FacetVkWatch *watcher;

void
facet_vk_fault_watch (const FacetVkWatch *watch)
{
  watcher = watch;
}

void
facet_vk_fault_note_submit (double cost)
{
  if (watcher != NULL)
    watcher->submit (cost, watcher->data);
}

double
facet_vk_fault_seconds (double cost, double measured)
{
  double seconds = watcher != NULL ? watcher->seconds (cost, watcher->data) : 0;

  return seconds > 0 ? seconds : measured;
}

static gint pretends, kernel_pretends;

void
facet_vk_pretend_integrated (gboolean pretend)
{
  g_atomic_int_set (&pretends, pretend);
}

gboolean
facet_vk_pretends (void)
{
  return g_atomic_int_get (&pretends);
}

void
facet_vk_pretend_kernel_device (gboolean pretend)
{
  g_atomic_int_set (&kernel_pretends, pretend);
}

gboolean
facet_vk_pretends_kernel_device (void)
{
  return g_atomic_int_get (&kernel_pretends);
}

void
facet_vk_fault_swap_loader (const char *instead)
{
  loader = instead;
}

const char *
facet_vk_fault_loader (const char *name)
{
  return loader != NULL ? loader : name;
}

void
facet_vk_fault_swap (const char *name, const char *instead)
{
  swapped = name;
  swapped_with = instead;
}

const char *
facet_vk_fault_shader (const char *name)
{
  return g_strcmp0 (name, swapped) == 0 ? swapped_with : name;
}
