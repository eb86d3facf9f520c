/* Products of every type of weights and tier as shaders against the reference
 * kernels. Sums are taken in another order there, hence the tolerances. */
#include "beside.h"
#include "device.h"

static void
check_gated (const TestType *type, int rows, int k, int columns)
{
  int x, gate, up;

  beside_begin ();
  x = beside_input (FACET_ROWS_TOKENS, rows, k);
  gate = facet_g_matmul (beside.graph, x, beside_tensor (type, FILL_NORMAL, k, columns, 1), NULL);
  up = facet_g_matmul (beside.graph, x, beside_tensor (type, FILL_NORMAL, k, columns, 1), NULL);
  beside_compare ("gated", rows, facet_g_geglu (beside.graph, gate, up), 2e-5);
}

static void
check_matmul (const TestType *type)
{
  const int rows[] = { 1, 3, 7, 65 }, columns[] = { 1, 5, 67 };
  const int k[] = { 32, 100, 256, 640, 768 };

  for (guint r = 0; r < G_N_ELEMENTS (rows); r++)
    for (guint m = 0; m < G_N_ELEMENTS (columns); m++)
      for (guint i = 0; i < G_N_ELEMENTS (k); i++) {
        Fill fill = (Fill) ((r + m + i) % (FILL_LARGE + 1));
        int x, y;

        if (k[i] % type->block != 0)
          continue;
        beside_begin ();
        x = beside_input (FACET_ROWS_TOKENS, rows[r], k[i]);
        y = facet_g_matmul (beside.graph, x, beside_tensor (type, fill, k[i], columns[m], 1), fill == FILL_ZERO ? beside_floats (columns[m], 1) : NULL);
        beside_compare (type->name, rows[r], y, 1e-5);
      }
  for (int r = 1; r < 100; r += 66)
    check_gated (type, r, 512, 67);
}

static void
test_matmul (gconstpointer data)
{
  beside_setup ();
  check_matmul (data);
  beside_teardown ();
}

static gboolean
has_dot (void)
{
  if (!((FacetVk *) beside.gpu)->traits.dot)
    g_test_skip ("the device has no integer dot product");
  return ((FacetVk *) beside.gpu)->traits.dot;
}

static void
test_matmul_dot (gconstpointer data)
{
  beside_setup_tier (FACET_VK_DOT);
  if (has_dot ())
    check_matmul (data);
  beside_teardown ();
}

/* Where no size of subgroups can be demanded lanes add up in shared memory. */
static void
test_lanes (void)
{
  for (int tier = 0; tier <= (int) FACET_VK_DOT; tier++) {
    beside_setup_tier ((FacetVkTier) tier);
    ((FacetVk *) beside.gpu)->traits.subgroup = 0;
    ((FacetVk *) beside.gpu)->traits.slow_shared = FALSE;
    for (int t = 0; t < N_TEST_TYPES && (tier == 0 || has_dot ()); t += 3)
      check_matmul (&test_types[t]);
    beside_teardown ();
  }
}

/* Of every type, through shared memory also on devices that do without. */
static void
test_shared (void)
{
  beside_setup ();
  ((FacetVk *) beside.gpu)->traits.slow_shared = FALSE;
  for (int t = 0; t < N_TEST_TYPES; t++) {
    int x;

    beside_begin ();
    x = beside_input (FACET_ROWS_TOKENS, 65, 768);
    beside_compare (test_types[t].name, 65, facet_g_matmul (beside.graph, x, beside_tensor (&test_types[t], FILL_NORMAL, 768, 67, 1), NULL), 1e-5);
    check_gated (&test_types[t], 65, 768, 67);
  }
  beside_teardown ();
}

/* Enough rows and columns for tiles of all sizes, none of them full. */
static void
test_tiles (void)
{
  const struct { int rows, columns; } shapes[] = { { 130, 1100 }, { 300, 1500 }, { 500, 2100 } };

  for (int tier = 0; tier <= (int) FACET_VK_DOT; tier++) {
    beside_setup_tier ((FacetVkTier) tier);
    ((FacetVk *) beside.gpu)->traits.slow_shared = FALSE;
    for (guint i = 0; i < G_N_ELEMENTS (shapes) && (tier == 0 || has_dot ()); i++) {
      const TestType *type = &test_types[9 + i]; /* of runs of 16 and of 32, with a minimum and without */
      int x;

      beside_begin ();
      x = beside_input (FACET_ROWS_TOKENS, shapes[i].rows, 256);
      beside_compare (type->name, shapes[i].rows, facet_g_matmul (beside.graph, x, beside_tensor (type, FILL_NORMAL, 256, shapes[i].columns, 1), NULL), 1e-5);
      check_gated (type, shapes[i].rows, 256, shapes[i].columns);
    }
    beside_teardown ();
  }
}

/* A binding that covers few rows cuts matrices into parts; device memory that
 * the host does not see takes the ring of stages. */
static void
test_parts (void)
{
  FacetVk *vk;

  beside_setup ();
  vk = (FacetVk *) beside.gpu;
  vk->limits.range = 16384;
  vk->hides_memory = TRUE;
  for (int t = 0; t < N_TEST_TYPES; t += 4) {
    int x;

    beside_begin ();
    x = beside_input (FACET_ROWS_TOKENS, 6, 512);
    beside_compare ("parts", 6, facet_g_matmul (beside.graph, x, beside_tensor (&test_types[t], FILL_NORMAL, 512, 333, 1), beside_floats (333, 1)), 1e-5);
    beside_begin ();
    beside_compare ("table in parts", 1, facet_g_table (beside.graph, beside_tensor (&test_types[t], FILL_NORMAL, 512, 7, 1)), 1e-6);
  }
  beside_teardown ();
}

/* So does a bound on what one allocation may have; what cannot be cut gets none. */
static void
test_allocations (void)
{
  FacetVkBuffer buffer;
  g_autoptr (GError) error = NULL;
  guint64 left;
  FacetVk *vk;

  beside_setup ();
  vk = (FacetVk *) beside.gpu;
  vk->limits.allocation = 65536;
  for (int t = 0; t < N_TEST_TYPES; t += 4) {
    const FacetTensor *w;

    beside_begin ();
    w = beside_tensor (&test_types[t], FILL_NORMAL, 512, 777, 1);
    beside_compare ("allocations", 6, facet_g_matmul (beside.graph, beside_input (FACET_ROWS_TOKENS, 6, 512), w, NULL), 1e-5);
    g_assert_cmpint (facet_vk_weight (vk, w)->n_parts, ==, (int) ((w->bytes + 65535) / 65536));
  }
  left = facet_vk_memory_left (vk);
  g_assert_false (facet_vk_buffer_new (vk, 65537, FACET_VK_UPLOAD, &buffer, &error));
  g_assert_error (error, FACET_ERROR, FACET_ERROR_NO_MEMORY);
  g_assert_cmpuint (facet_vk_memory_left (vk), >=, left);
  beside_teardown ();
}

/* Without VK_EXT_memory_budget what is taken is counted against the heap. */
static void
test_no_budget (void)
{
  FacetVkBuffer buffer;
  g_autoptr (GError) error = NULL;
  guint64 left;
  FacetVk *vk;

  beside_setup ();
  vk = (FacetVk *) beside.gpu;
  vk->has_budget = FALSE;
  left = facet_vk_memory_left (vk);
  g_assert_true (facet_vk_buffer_new (vk, 1 << 20, FACET_VK_DEVICE, &buffer, &error));
  g_assert_cmpuint (facet_vk_memory_left (vk), ==, left - (1 << 20));
  facet_vk_buffer_free (vk, &buffer);
  g_assert_cmpuint (facet_vk_memory_left (vk), ==, left);
  vk->taken = G_MAXUINT64 / 2;
  g_assert_cmpuint (facet_vk_memory_left (vk), ==, 0);
  g_assert_false (facet_vk_buffer_new (vk, 1 << 20, FACET_VK_DEVICE, &buffer, &error));
  g_assert_error (error, FACET_ERROR, FACET_ERROR_NO_MEMORY);
  beside_teardown ();
}

static void
test_upload (void)
{
  const FacetTensor *large;
  int x;

  beside_setup ();
  ((FacetVk *) beside.gpu)->hides_memory = TRUE;
  beside_begin ();
  /* More than both stages. */
  large = beside_tensor (&test_types[7], FILL_NORMAL, 1024, 40000, 1);
  x = beside_input (FACET_ROWS_TOKENS, 1, 1024);
  beside_compare ("upload", 1, facet_g_matmul (beside.graph, x, large, NULL), 1e-5);
  beside_teardown ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_setenv ("FACET_TEST_BACKEND", "vulkan", TRUE);
  if (device_missing ())
    return TEST_SKIPPED;
  for (int t = 0; t < N_TEST_TYPES; t++) {
    g_autofree char *matmul = g_strdup_printf ("/vulkan/matmul/%s", test_types[t].name);

    g_test_add_data_func (matmul, &test_types[t], test_matmul);
    if (test_types[t].block > 1) {
      g_autofree char *matmul_dot = g_strdup_printf ("/vulkan/matmul-dot/%s", test_types[t].name);

      g_test_add_data_func (matmul_dot, &test_types[t], test_matmul_dot);
    }
  }
  g_test_add_func ("/vulkan/lanes", test_lanes);
  g_test_add_func ("/vulkan/shared", test_shared);
  g_test_add_func ("/vulkan/tiles", test_tiles);
  g_test_add_func ("/vulkan/parts", test_parts);
  g_test_add_func ("/vulkan/allocations", test_allocations);
  g_test_add_func ("/vulkan/no-budget", test_no_budget);
  g_test_add_func ("/vulkan/upload", test_upload);
  return g_test_run ();
}
