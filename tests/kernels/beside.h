/* beside.h - small graphs run on a device and beside it on the reference kernels
 *
 * A test sets both up, then for each case begins a graph, adds inputs and
 * weights at random, and compares what becomes of them.
 */
#pragma once

#include "backend/vulkan/vk.h"
#include "random.h"

#define MAX_INPUTS 4

typedef struct {
  FacetBackend *cpu, *gpu;
  GRand        *rand;
  FacetGraph   *graph;
  float        *inputs[MAX_INPUTS];
  int           n_inputs;
  GPtrArray    *memory;   /* of tensors */
} Beside;

extern Beside beside;

/* Both round activations to 8 bits in the same way, or neither does; those that
 * the device rounds to 16-bit floats are 32-bit ones beside it. */
void               beside_setup_tier (FacetVkTier tier);
/* With 32-bit floats. */
void               beside_setup      (void);
void               beside_teardown   (void);
/* Makes the device one of which no verdict is remembered and that takes no kernel
 * untested. Returns: (transfer full): where the verdict will stand. */
char              *beside_forget_verdict (void);
/* One product after the other, with weights of those types. Returns: (transfer full). */
FacetGraph        *beside_products   (const FacetDtype *dtypes, int n);
void               beside_begin      (void);
/* An input node of row class @rows, filled for @at_most rows. */
int                beside_input      (int rows, int at_most, int cols);
const FacetTensor *beside_tensor     (const TestType *type, Fill fill, gint64 cols, gint64 rows, gint64 slices);
const FacetTensor *beside_floats     (gint64 cols, gint64 rows);
/* The graph's result, twice the same. Compiled anew, so that nothing is left
 * of other steps. Returns: (transfer full). */
float             *beside_run        (FacetBackend *backend, FacetKv *kv, FacetStep *step, int max_rows, int max_outputs);
/* That node @result agrees: off by at most @tolerance times the largest value.
 * Frees the graph. */
void               beside_compare    (const char *what, int n_rows, int result, double tolerance);
