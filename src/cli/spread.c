#include "spread.h"

#include "json.h"

static int
compare_doubles (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

Spread
spread_of (GArray *values)
{
  guint n = values->len;

  g_array_sort (values, compare_doubles);
  return (Spread){
    .min = g_array_index (values, double, 0),
    .median = (g_array_index (values, double, (n - 1) / 2) + g_array_index (values, double, n / 2)) / 2,
    .max = g_array_index (values, double, n - 1),
  };
}

void
spread_json (GString *json, const char *name, const Spread *spread)
{
  json_open (json, name, '{');
  json_number (json, "min", spread->min);
  json_number (json, "median", spread->median);
  json_number (json, "max", spread->max);
  json_close (json, '}');
}
