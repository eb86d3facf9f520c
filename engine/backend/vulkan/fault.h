/* fault.h - failures and other devices on purpose, for tests
 *
 * The n-th call of a kind fails as a device would; with -n so do all that
 * follow; 0 lets all pass. Calls are counted from the last arming.
 */
#pragma once

#include <glib.h>

typedef enum {
  FACET_VK_FAULT_ALLOCATE,
  FACET_VK_FAULT_SUBMIT,
  FACET_VK_FAULT_WAIT,
  FACET_VK_FAULT_IMPORT,
  FACET_VK_N_FAULTS,
} FacetVkFault;

void     facet_vk_fault_arm   (FacetVkFault kind, int nth);
int      facet_vk_fault_count (FacetVkFault kind);
/* Counts a call; TRUE: it must fail. */
gboolean facet_vk_fault       (FacetVkFault kind);

/* Told what each submit of a step costs (operations), then asked how long those
 * that were waited for shall have taken, in seconds; what it was if that is 0. */
typedef struct {
  void   (*submit)  (double cost, gpointer data);
  double (*seconds) (double cost, gpointer data);
  gpointer data;
} FacetVkWatch;

/* NULL: nobody. Borrowed. */
void     facet_vk_fault_watch       (const FacetVkWatch *watch);
void     facet_vk_fault_note_submit (double cost);
double   facet_vk_fault_seconds     (double cost, double measured);

/* Whether devices opened from now on take themselves for integrated ones. */
void     facet_vk_pretend_integrated (gboolean pretend);
gboolean facet_vk_pretends           (void);

/* Whether devices are looked for although the kernel shows none. */
void     facet_vk_pretend_kernel_device (gboolean pretend);
gboolean facet_vk_pretends_kernel_device (void);

/* From now on library @instead is opened as Vulkan's loader; NULL: no longer.
 * The string is borrowed. */
void        facet_vk_fault_swap_loader (const char *instead);
/* The library that stands for @name. */
const char *facet_vk_fault_loader      (const char *name);

/* From now on pipelines of shader @name are made from shader @instead, so that
 * it computes wrongly; NULL: no longer. Strings are borrowed. */
void        facet_vk_fault_swap   (const char *name, const char *instead);
/* The shader that stands for @name. */
const char *facet_vk_fault_shader (const char *name);
