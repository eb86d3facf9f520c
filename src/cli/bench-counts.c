#include "bench-counts.h"

#include <stdio.h>

#include <glib/gi18n.h>

#include "commands.h"
#include "json.h"
#include "report.h"

static FacetKernelCount
sum_of (const GArray *counts)
{
  FacetKernelCount sum = { 0 };

  for (guint i = 0; i < counts->len; i++) {
    const FacetKernelCount *c = &g_array_index (counts, FacetKernelCount, i);

    sum.dispatches += c->dispatches;
    sum.bytes += c->bytes;
    sum.loads += c->loads;
    sum.flops += c->flops;
    sum.necessary_bytes += c->necessary_bytes;
    sum.necessary_flops += c->necessary_flops;
  }
  return sum;
}

static void
print_line (const char *name, const FacetKernelCount *c)
{
  printf ("%-20s %6d %11.3f %11.3f %11.3f %12.3f %12.3f\n", name, c->dispatches, c->bytes / 1e6, c->necessary_bytes / 1e6,
          (c->loads - c->bytes) / 1e6, c->flops / 1e6, c->necessary_flops / 1e6);
}

static void
print_table (int rows, int depth, const GArray *counts)
{
  FacetKernelCount sum = sum_of (counts);

  printf (_("A step of %d tokens behind %d others, in millions of bytes and operations:\n"), rows, depth);
  /* Translators: columns 20, 6, 11, 11, 11, 12 and 12 letters wide, all but the first to the right. How often a program
   * runs; bytes that it moves, those that are necessary, and those that it reads again from caches; operations that it
   * does, and those that are necessary. */
  printf ("%s", _("program                runs       bytes   necessary       again   operations    necessary\n"));
  for (guint i = 0; i < counts->len; i++)
    print_line (g_array_index (counts, FacetKernelCount, i).kernel, &g_array_index (counts, FacetKernelCount, i));
  print_line (_("together"), &sum);
}

static void
add_json (GString *json, int rows, int depth, const GArray *counts)
{
  json_open (json, NULL, '{');
  json_integer (json, "rows", rows);
  json_integer (json, "depth", depth);
  json_open (json, "kernels", '[');
  for (guint i = 0; i < counts->len; i++) {
    const FacetKernelCount *c = &g_array_index (counts, FacetKernelCount, i);

    json_open (json, NULL, '{');
    json_string (json, "kernel", c->kernel, -1);
    json_integer (json, "dispatches", c->dispatches);
    json_number (json, "bytes", c->bytes);
    json_number (json, "loads", c->loads);
    json_number (json, "flops", c->flops);
    json_number (json, "necessary_bytes", c->necessary_bytes);
    json_number (json, "necessary_flops", c->necessary_flops);
    json_close (json, '}');
  }
  json_close (json, ']');
  json_close (json, '}');
}

static gboolean
count (FacetSession *session, int rows, int depth, GString *json, GError **error)
{
  g_autoptr (GArray) counts = facet_session_count_work (session, rows, depth, error);

  if (counts == NULL)
    return FALSE;
  if (json != NULL)
    add_json (json, rows, depth, counts);
  else
    print_table (rows, depth, counts);
  return TRUE;
}

int
bench_counts (const Options *options, int rows, int depth)
{
  FacetSessionParams params = { .context = MAX (options->context, depth + MAX (rows, 1)), .kv_type = options->kv_type, .chunk = rows };
  g_autoptr (GString) json = options->json ? g_string_new ("{") : NULL;
  g_autoptr (FacetSession) session = NULL;
  g_autoptr (FacetModel) model = options_load_model (options, NULL);
  g_autoptr (GError) error = NULL;

  if (model == NULL)
    return EXIT_FAILED;
  if (json != NULL)
    json_open (json, "steps", '[');
  session = facet_session_new (model, &params, &error);
  if (session == NULL || !count (session, 1, depth, json, &error) || (rows > 0 && !count (session, rows, depth, json, &error))) {
    report_error (error);
    return report_status (error);
  }
  if (json != NULL) {
    json_close (json, ']');
    json_close (json, '}');
    json_print (json);
  }
  return EXIT_OK;
}
