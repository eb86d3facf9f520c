/* Products by cooperative matrices against the reference kernels. Both factors
 * are rounded to 16-bit floats, that is by 2^-12 of themselves on average: sums
 * are off by about 3e-4 of the largest, and by nothing where rounding loses
 * nothing. Skipped where the device has none. */
#include <glib/gstdio.h>
#include <math.h>

#include "backend/vulkan/fault.h"
#include "beside.h"
#include "device.h"

#define ROUNDED 1e-3
#define EXACT 1e-5

static FacetVk *
begin (void)
{
  FacetVk *vk;

  beside_setup_tier (FACET_VK_MATRIX);
  vk = (FacetVk *) beside.gpu;
  g_assert_cmpint (vk->tiers[FACET_Q4_0], ==, FACET_VK_MATRIX);
  return vk;
}

static void
check_product (const TestType *type, int rows, int k, int columns, gboolean bias, double tolerance)
{
  int x;

  beside_begin ();
  x = beside_input (FACET_ROWS_TOKENS, rows, k);
  beside_compare (type->name, rows,
                  facet_g_matmul (beside.graph, x, beside_tensor (type, FILL_NORMAL, k, columns, 1), bias ? beside_floats (columns, 1) : NULL), tolerance);
}

static void
check_gated (const TestType *type, int rows, int k, int columns)
{
  int x, gate, up;

  beside_begin ();
  x = beside_input (FACET_ROWS_TOKENS, rows, k);
  gate = facet_g_matmul (beside.graph, x, beside_tensor (type, FILL_NORMAL, k, columns, 1), NULL);
  up = facet_g_matmul (beside.graph, x, beside_tensor (type, FILL_NORMAL, k, columns, 1), NULL);
  beside_compare ("gated", rows, facet_g_geglu (beside.graph, gate, up), ROUNDED);
}

static void
test_type (gconstpointer data)
{
  const TestType *type = data;
  const int k = MAX (type->block, 32);

  begin ();
  for (int rows = 5; rows < 80; rows += 28)
    for (int columns = 17; columns < 70; columns += 50) {
      check_product (type, rows, k, columns, columns > 17, ROUNDED);
      check_product (type, rows, 3 * k, columns, FALSE, ROUNDED);
    }
  check_gated (type, 33, 2 * k, 67);
  beside_teardown ();
}

/* Rows that end within a step of k. */
static void
test_odd_columns (void)
{
  begin ();
  for (int t = 1; t <= 2; t++)
    for (int k = 99; k <= 104; k++)
      check_product (&test_types[t], 9, k, 70, FALSE, ROUNDED);
  beside_teardown ();
}

/* What 16-bit floats hold is computed as with 32 bits, whatever a row's scale. */
static void
test_exact (void)
{
  const double scales[] = { 1.0 / 64, 0x1p60, 0x1p-60, 1e4, 0 };

  begin ();
  for (guint s = 0; s < G_N_ELEMENTS (scales); s++) {
    int x;

    beside_begin ();
    x = beside_input (FACET_ROWS_TOKENS, 37, 640);
    for (int i = 0; i < 37 * 640; i++)
      beside.inputs[0][i] = (float) (scales[s] * g_rand_int_range (beside.rand, -1023, 1024));
    beside_compare ("exact", 37, facet_g_matmul (beside.graph, x, beside_tensor (&test_types[1], FILL_NORMAL, 640, 67, 1), NULL),
                    scales[s] == 1e4 ? ROUNDED : EXACT);
  }
  beside_teardown ();
}

/* A row's scale is its own. */
static void
test_scales (void)
{
  begin ();
  for (int wide = 0; wide < 2; wide++) {
    int x;

    beside_begin ();
    x = beside_input (FACET_ROWS_TOKENS, 12, 256);
    for (int i = 0; i < 12 * 256; i++)
      beside.inputs[0][i] *= (float) (wide ? exp2 (5 * (i / 256)) : 1 + i / 256);
    beside_compare ("scales", 12,
                    facet_g_rms_norm (beside.graph, facet_g_matmul (beside.graph, x, beside_tensor (&test_types[7], FILL_NORMAL, 256, 33, 1), NULL), NULL, 33, 1e-6f),
                    2 * ROUNDED);
  }
  beside_teardown ();
}

/* Enough rows and columns for tiles of all sizes, none of them full. */
static void
test_tiles (void)
{
  const struct { int rows, columns; } shapes[] = { { 70, 2100 }, { 130, 1100 }, { 300, 1500 } };

  begin ();
  for (guint i = 0; i < G_N_ELEMENTS (shapes); i++) {
    check_product (&test_types[9 + i], shapes[i].rows, 256, shapes[i].columns, FALSE, ROUNDED);
    check_gated (&test_types[9 + i], shapes[i].rows, 256, shapes[i].columns);
  }
  beside_teardown ();
}

static void
test_parts (void)
{
  begin ()->limits.range = 16384;
  check_product (&test_types[7], 6, 512, 333, TRUE, ROUNDED);
  check_gated (&test_types[7], 6, 512, 333);
  beside_teardown ();
}

static char *
verdict_with (FacetVk *vk, const FacetGraph *graph, const char *shader, const char *instead)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = NULL;
  char *verdict;

  path = beside_forget_verdict ();
  facet_vk_pipelines_drop (vk);
  facet_vk_fault_swap (shader, instead);
  facet_vk_trust (vk, graph, &error);
  facet_vk_fault_swap (NULL, NULL);
  g_assert_no_error (error);
  verdict = facet_vk_verdict (vk->cache_key);
  g_assert_cmpint (g_unlink (path), ==, 0);
  return verdict;
}

/* Matrices that give something else, or cannot be built, are done without. */
static void
test_demotion (void)
{
  g_autofree char *wrong = NULL, *missing = NULL;
  FacetVk *vk = begin ();
  g_autoptr (FacetGraph) graph = beside_products ((const FacetDtype[]) { FACET_F16, FACET_Q4_0, FACET_Q4_K }, 3);

  wrong = verdict_with (vk, graph, "matmul-matrix-q4_0", "matmul-matrix-iq4_nl");
  g_assert_cmpstr (wrong, ==, "works without matrix of Q4_0");
  g_assert_cmpint (vk->tiers[FACET_Q4_0], <, FACET_VK_MATRIX);
  g_assert_cmpint (vk->tiers[FACET_Q4_K], ==, FACET_VK_MATRIX);
  missing = verdict_with (vk, graph, "matmul-matrix-f16", "none");
  g_assert_cmpstr (missing, ==, "works without matrix of F16");
  g_assert_cmpint (vk->tiers[FACET_F16], ==, FACET_VK_SCALAR);
  g_assert_cmpint (vk->tiers[FACET_Q4_K], ==, FACET_VK_MATRIX);
  beside_teardown ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_setenv ("FACET_TEST_BACKEND", "vulkan", TRUE);
  g_setenv ("FACET_VULKAN_TIER", "matrix", TRUE);
  if (device_missing ())
    return TEST_SKIPPED;
  for (int t = 1; t < N_TEST_TYPES; t++) {
    g_autofree char *path = g_strdup_printf ("/vulkan/matrix/%s", test_types[t].name);

    g_test_add_data_func (path, &test_types[t], test_type);
  }
  g_test_add_func ("/vulkan/matrix/odd-columns", test_odd_columns);
  g_test_add_func ("/vulkan/matrix/exact", test_exact);
  g_test_add_func ("/vulkan/matrix/scales", test_scales);
  g_test_add_func ("/vulkan/matrix/tiles", test_tiles);
  g_test_add_func ("/vulkan/matrix/parts", test_parts);
  g_test_add_func ("/vulkan/matrix/demotion", test_demotion);
  return g_test_run ();
}
