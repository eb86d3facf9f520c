/* The reader of reference values: a reader that misread types or shapes would
 * make every parity test meaningless. */
#include "npz.h"

static char *
data_path (const char *name)
{
  return g_build_filename (g_getenv ("FACET_TEST_DATA"), name, NULL);
}

static void
test_types (void)
{
  g_autofree char *path = data_path ("npz/types.npz");
  g_autoptr (Npz) npz = npz_open (path);
  const char *names[] = { "f16", "f32", "f64", "i8", "i32", "i64", "fortran" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    const NpyArray *array = npz_get (npz, names[i]);
    g_autofree float *values = npy_floats (array);
    g_autofree gint32 *ints = npy_ints (array);

    g_assert_cmpint (array->n_dims, ==, 2);
    g_assert_cmpuint (array->shape[0], ==, 2);
    g_assert_cmpuint (array->shape[1], ==, 3);
    for (int j = 0; j < 6; j++) {
      g_assert_cmpfloat (values[j], ==, 7 * j - 20);
      g_assert_cmpint (ints[j], ==, 7 * j - 20);
    }
  }
  g_assert_null (npz_find (npz, "absent"));
}

static void
test_odd_values (void)
{
  g_autofree char *path = data_path ("npz/types.npz");
  g_autoptr (Npz) npz = npz_open (path);
  g_autofree float *half = npy_floats (npz_get (npz, "half"));
  g_autofree gint32 *bytes = npy_ints (npz_get (npz, "u8"));
  g_autofree gint32 *flags = npy_ints (npz_get (npz, "flags"));

  g_assert_cmpfloat (half[0], ==, 65504.f);
  g_assert_cmpfloat (half[1], ==, -5.9604644775390625e-08f);
  g_assert_cmpfloat (half[2], ==, 0.333251953125f);
  g_assert_cmpint (npz_get (npz, "u8")->n_dims, ==, 3);
  g_assert_cmpint (bytes[7], ==, 255);
  g_assert_cmpint (npz_get (npz, "flags")->n_dims, ==, 1);
  g_assert_cmpint (flags[1], ==, 1);
  g_assert_cmpint (npz_get (npz, "empty")->n, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/npz/types", test_types);
  g_test_add_func ("/npz/odd-values", test_odd_values);
  return g_test_run ();
}
