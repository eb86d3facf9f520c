#include "facet.h"

static void
test_raise_and_reset (void)
{
  FacetCancel cancel = { 0 };

  g_assert_false (facet_is_cancelled (NULL));
  g_assert_false (facet_is_cancelled (&cancel));
  facet_cancel (&cancel);
  g_assert_true (facet_is_cancelled (&cancel));
  facet_cancel_reset (&cancel);
  g_assert_false (facet_is_cancelled (&cancel));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cancel/raise-and-reset", test_raise_and_reset);
  return g_test_run ();
}
