/* Mixtures of experts as shaders against the reference: place by place, and with
 * the rows of each expert brought together. */
#include "beside.h"
#include "device.h"

#define K 256
#define EXPERTS 7
#define CHOSEN 3
/* Cooperative matrices round both factors to 16-bit floats (test-vulkan-matrix.c). */
#define ROUNDED 1e-3
#define SUMMED 2e-5

typedef enum {
  SPREAD,    /* by chance */
  CROWDED,   /* all rows choose the same, nobody any other */
  LOPSIDED,  /* one that all choose, one that nobody does */
} Routing;

static int
route (int rows, Routing routing, gboolean scaled)
{
  int scores = beside_input (FACET_ROWS_TOKENS, rows, EXPERTS);
  float *x = beside.inputs[beside.n_inputs - 1];

  for (int row = 0; row < rows; row++, x += EXPERTS) {
    for (int e = 0; e < EXPERTS && routing == CROWDED; e++)
      x[e] = 0.1f * (float) e;
    if (routing == LOPSIDED) {
      x[2] = 9;
      x[EXPERTS - 1] = -9;
    }
  }
  return facet_g_route (beside.graph, scores, CHOSEN, scaled ? beside_floats (EXPERTS, 1) : NULL);
}

static double
tolerance (void)
{
  return ((FacetVk *) beside.gpu)->tiers[FACET_F16] == FACET_VK_MATRIX ? ROUNDED : SUMMED;
}

static void
check_up (const TestType *type, gboolean one_tensor, int columns, int rows, Routing routing)
{
  FacetTensor gate, up;
  int x;

  beside_begin ();
  x = beside_input (FACET_ROWS_TOKENS, rows, K);
  gate = *beside_tensor (type, FILL_NORMAL, K, one_tensor ? 2 * columns : columns, EXPERTS);
  up = one_tensor ? gate : *beside_tensor (type, FILL_NORMAL, K, columns, EXPERTS);
  gate.ne[1] = up.ne[1] = columns;
  if (one_tensor)
    up.data = (const guint8 *) gate.data + columns * (K / type->block * type->bytes);
  beside_compare (type->name, rows,
                  facet_g_experts_up (beside.graph, x, route (rows, routing, one_tensor), &gate, &up, one_tensor ? 2 * columns : columns),
                  tolerance ());
}

static void
check_down (const TestType *type, int columns, int rows, Routing routing)
{
  int x;

  beside_begin ();
  x = beside_input (FACET_ROWS_TOKENS, rows, CHOSEN * K);
  beside_compare (type->name, rows,
                  facet_g_experts_down (beside.graph, x, route (rows, routing, TRUE), beside_tensor (type, FILL_NORMAL, K, columns, EXPERTS)),
                  tolerance ());
}

static gboolean
setup (FacetVkTier tier)
{
  beside_setup_tier (tier);
  if (facet_vk_has_tier ((FacetVk *) beside.gpu, tier))
    return TRUE;
  g_test_skip (tier == FACET_VK_DOT ? "the device has no integer dot product" : "the device has no cooperative matrices");
  return FALSE;
}

/* Few rows and many, of every type. */
static void
check_type (const TestType *type, FacetVkTier tier)
{
  if (setup (tier))
    for (int rows = 1; rows < 50; rows += 40) {
      check_up (type, TRUE, 24, rows, SPREAD);
      check_up (type, FALSE, 24, rows, SPREAD);
      check_down (type, 33, rows, SPREAD);
    }
  beside_teardown ();
}

static void
test_type (gconstpointer type)
{
  check_type (type, FACET_VK_SCALAR);
}

static void
test_type_dot (gconstpointer type)
{
  check_type (type, FACET_VK_DOT);
}

static void
test_type_matrix (gconstpointer type)
{
  check_type (type, FACET_VK_MATRIX);
}

/* Experts without a row, and with all of them; tiles of all heights, not full,
 * of odd numbers of columns. */
static void
check_routing (FacetVkTier tier, gboolean shared)
{
  const int rows[] = { 5, 17, 80, 150 };

  if (setup (tier)) {
    if (shared)
      ((FacetVk *) beside.gpu)->traits.slow_shared = FALSE;
    for (guint r = 0; r < G_N_ELEMENTS (rows); r++)
      for (int routing = SPREAD; routing <= (int) LOPSIDED; routing++) {
        const TestType *type = &test_types[tier == FACET_VK_DOT ? 10 : 3];

        check_up (type, r % 2 == 0, 67, rows[r], (Routing) routing);
        check_down (type, 65, rows[r], (Routing) routing);
      }
  }
  beside_teardown ();
}

static void
test_routing (void)
{
  check_routing (FACET_VK_SCALAR, FALSE);
}

static void
test_routing_shared (void)
{
  check_routing (FACET_VK_SCALAR, TRUE);
}

static void
test_routing_dot (void)
{
  check_routing (FACET_VK_DOT, TRUE);
}

static void
test_routing_matrix (void)
{
  check_routing (FACET_VK_MATRIX, FALSE);
}

/* Where a binding covers a few experts only, and where not even one. */
static void
check_parts (FacetVkTier tier)
{
  const struct { gsize range; int rows, columns; } shapes[] = { { 50000, 15, 150 }, { 100000, 5, 1000 } };

  for (guint i = 0; i < G_N_ELEMENTS (shapes); i++) {
    if (setup (tier)) {
      ((FacetVk *) beside.gpu)->limits.range = shapes[i].range;
      check_up (&test_types[3], TRUE, shapes[i].columns, shapes[i].rows, SPREAD);
      check_up (&test_types[3], FALSE, shapes[i].columns, shapes[i].rows, LOPSIDED);
      check_down (&test_types[3], shapes[i].columns, shapes[i].rows, SPREAD);
    }
    beside_teardown ();
  }
}

static void
test_parts (void)
{
  check_parts (FACET_VK_SCALAR);
}

static void
test_parts_matrix (void)
{
  check_parts (FACET_VK_MATRIX);
}

/* One plan runs steps of few rows and of many: each has its form, and what another
 * left behind does not matter. */
static void
test_steps (void)
{
  const int steps[] = { 41, 2, 17, 4, 5, 41 };
  g_autoptr (GError) error = NULL;
  FacetPlan *ours, *theirs;
  int x, chosen, y;

  beside_setup ();
  beside_begin ();
  x = beside_input (FACET_ROWS_TOKENS, 41, K);
  chosen = route (41, SPREAD, TRUE);
  x = facet_g_experts_up (beside.graph, x, chosen, beside_tensor (&test_types[7], FILL_NORMAL, K, 64, EXPERTS),
                          beside_tensor (&test_types[7], FILL_NORMAL, K, 64, EXPERTS), 64);
  y = facet_g_experts_down (beside.graph, x, chosen, beside_tensor (&test_types[4], FILL_NORMAL, 64, 40, EXPERTS));
  facet_graph_set_result (beside.graph, y);
  ours = beside.gpu->klass->compile (beside.gpu, beside.graph, NULL, 41, 1, &error);
  g_assert_no_error (error);
  theirs = beside.cpu->klass->compile (beside.cpu, beside.graph, NULL, 41, 1, &error);
  g_assert_no_error (error);
  for (guint s = 0; s < G_N_ELEMENTS (steps); s++) {
    FacetStep step = { .n = steps[s], .inputs = (const float *const *) beside.inputs };
    const float *found, *expected;

    g_assert_true (beside.gpu->klass->run (ours, &step, NULL, &error));
    g_assert_true (beside.cpu->klass->run (theirs, &step, NULL, &error));
    found = beside.gpu->klass->value (ours, y);
    expected = beside.cpu->klass->value (theirs, y);
    for (int i = 0; i < steps[s] * 40; i++)
      g_assert_cmpfloat_with_epsilon (found[i], expected[i], 2e-3);
  }
  beside.gpu->klass->plan_free (ours);
  beside.cpu->klass->plan_free (theirs);
  facet_graph_free (beside.graph);
  for (int i = 0; i < beside.n_inputs; i++)
    g_free (beside.inputs[i]);
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
    g_autofree char *scalar = g_strdup_printf ("/experts/scalar/%s", test_types[t].name);
    g_autofree char *dot = g_strdup_printf ("/experts/dot/%s", test_types[t].name);
    g_autofree char *matrix = g_strdup_printf ("/experts/matrix/%s", test_types[t].name);

    g_test_add_data_func (scalar, &test_types[t], test_type);
    if (test_types[t].block > 1)
      g_test_add_data_func (dot, &test_types[t], test_type_dot);
    if (t > 0)
      g_test_add_data_func (matrix, &test_types[t], test_type_matrix);
  }
  g_test_add_func ("/experts/routing", test_routing);
  g_test_add_func ("/experts/routing-shared", test_routing_shared);
  g_test_add_func ("/experts/routing-dot", test_routing_dot);
  g_test_add_func ("/experts/routing-matrix", test_routing_matrix);
  g_test_add_func ("/experts/parts", test_parts);
  g_test_add_func ("/experts/parts-matrix", test_parts_matrix);
  g_test_add_func ("/experts/steps", test_steps);
  return g_test_run ();
}
