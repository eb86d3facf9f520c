#include <stdio.h>

#include <glib/gi18n.h>
#include <glib/gstdio.h>

#include "commands.h"
#include "interrupt.h"
#include "options.h"
#include "report.h"
#include "whole-file.h"

/* More than any model has. */
#define MAX_LAYERS 1024

/* What the family calls E2B, within E4B. */
#define E2B_LEFT_OUT "20-24"
#define E2B_WIDTHS   "8192"

typedef struct {
  Options  options;
  char    *output, *skip, *widths;
  gboolean e2b;
  GArray  *left_out, *feed_forward; /* of int */
} Arguments;

static void
arguments_clear (Arguments *a)
{
  options_clear (&a->options);
  g_free (a->output);
  g_free (a->skip);
  g_free (a->widths);
  g_clear_pointer (&a->left_out, g_array_unref);
  g_clear_pointer (&a->feed_forward, g_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Arguments, arguments_clear)

/* "LOW" or "LOW@mark@HIGH", both within 0 .. @most. */
static gboolean
read_pair (const char *text, char mark, guint64 most, int *low, int *high)
{
  g_auto (GStrv) parts = g_strsplit (text, (const char[]) { mark, '\0' }, 2);
  guint64 value;

  if (parts[0] == NULL || !g_ascii_string_to_unsigned (parts[0], 10, 0, most, &value, NULL))
    return FALSE;
  *low = (int) value;
  *high = -1;
  if (parts[1] == NULL)
    return TRUE;
  if (!g_ascii_string_to_unsigned (parts[1], 10, 0, most, &value, NULL))
    return FALSE;
  *high = (int) value;
  return TRUE;
}

/* "20-24,30": these layers. */
static gboolean
read_layers (const char *text, GArray *layers)
{
  g_auto (GStrv) parts = g_strsplit (text, ",", -1);

  for (char **part = parts; *part != NULL; part++) {
    int from = 0, to = 0;

    if (!read_pair (*part, '-', MAX_LAYERS - 1, &from, &to) || (to >= 0 && to < from))
      return FALSE;
    for (int i = from; i <= MAX (from, to); i++)
      g_array_append_val (layers, i);
  }
  return layers->len > 0;
}

/* "8192" or "8192x20,16384x5": a width and for how many layers. */
static gboolean
read_widths (const char *text, GArray *widths)
{
  g_auto (GStrv) parts = g_strsplit (text, ",", -1);

  for (char **part = parts; *part != NULL; part++) {
    int width = 0, times = 0;

    if (!read_pair (*part, 'x', 1 << 20, &width, &times) || width == 0 || times == 0 || times > MAX_LAYERS)
      return FALSE;
    for (int i = 0; i < MAX (times, 1) && widths->len <= MAX_LAYERS; i++)
      g_array_append_val (widths, width);
  }
  return widths->len > 0;
}

static gboolean
read_lists (Arguments *a)
{
  const char *skip = a->e2b ? E2B_LEFT_OUT : a->skip, *widths = a->e2b ? E2B_WIDTHS : a->widths;

  a->left_out = g_array_new (FALSE, FALSE, sizeof (int));
  a->feed_forward = g_array_new (FALSE, FALSE, sizeof (int));
  if (skip != NULL && !read_layers (skip, a->left_out))
    options_complain (g_get_prgname (), _("“%s” names no layers; write them as 20-24 or 20,21,30"), skip);
  else if (widths != NULL && !read_widths (widths, a->feed_forward))
    options_complain (g_get_prgname (), _("“%s” is no list of widths; write it as 8192 or 8192x20,16384x10"), widths);
  else
    return TRUE;
  return FALSE;
}

static gboolean
parse (Arguments *a, int *argc, char ***argv)
{
  const GOptionEntry entries[] = {
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &a->output, N_("Write the smaller model"), N_("FILE.gguf") },
    { "e2b", 0, 0, G_OPTION_ARG_NONE, &a->e2b, N_("Cut Gemma 3n E2B out of E4B: --skip-layers 20-24 --feed-forward 8192"), NULL },
    { "skip-layers", 0, 0, G_OPTION_ARG_STRING, &a->skip, N_("Leave these layers out, counted from 0"), N_("LIST") },
    { "feed-forward", 0, 0, G_OPTION_ARG_STRING, &a->widths, N_("Feed-forward width of the layers that stay: one number or a list such as 8192x20,16384x10"), N_("LIST") },
    G_OPTION_ENTRY_NULL
  };

  if (!options_parse (&a->options, OPTIONS_JSON, _("MODEL.gguf"),
                      N_("Cuts a smaller model out of one of Gemma 3n, in which others are nested (MatFormer)."), entries, argc, argv))
    return FALSE;
  if (*argc != 2 || a->output == NULL)
    options_complain (g_get_prgname (), "%s", _("name one model file and the file to write with -o"));
  else if (!a->e2b && a->skip == NULL && a->widths == NULL)
    options_complain (g_get_prgname (), "%s", _("say what to cut: --e2b, --skip-layers or --feed-forward"));
  else if (a->e2b && (a->skip != NULL || a->widths != NULL))
    options_complain (g_get_prgname (), "%s", _("--e2b stands for --skip-layers and --feed-forward"));
  else
    return read_lists (a);
  return FALSE;
}

/* Whether writing to @path would overwrite the model itself. */
static gboolean
is_part_of (const char *path, const FacetModelInfo *info)
{
  GStatBuf output, input;

  if (g_stat (path, &output) != 0)
    return FALSE;
  for (char **file = info->files; *file != NULL; file++)
    if (g_stat (*file, &input) == 0 && input.st_dev == output.st_dev && input.st_ino == output.st_ino)
      return TRUE;
  return FALSE;
}

static gboolean
put (const void *data, gsize n, gpointer user_data, GError **error)
{
  return whole_file_put (user_data, data, n, error);
}

static gboolean
slice (const Arguments *a, const char *path, FacetCancel *cancel, GError **error)
{
  const FacetSubmodel what = {
    .left_out = (const int *) (gpointer) a->left_out->data,
    .n_left_out = (int) a->left_out->len,
    .feed_forward = (const int *) (gpointer) a->feed_forward->data,
    .n_feed_forward = (int) a->feed_forward->len,
    .cancel = cancel,
    .progress = report_progress,
  };
  g_autoptr (FacetModelInfo) info = facet_model_info_read (path, error);
  g_autoptr (WholeFile) file = NULL;

  if (info == NULL)
    return FALSE;
  if (is_part_of (a->output, info)) {
    g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_EXIST, _("%s is the model itself; name another file"), a->output);
    return FALSE;
  }
  file = whole_file_open (a->output, error);
  return file != NULL && facet_submodel_write (path, &what, put, file, error) && whole_file_finish (file, error);
}

/* Of a file; what went into a pipe or a device cannot be looked at. */
static gboolean
say (const Arguments *a, GError **error)
{
  g_autoptr (FacetModelInfo) info = facet_model_info_read (a->output, error);
  g_autofree char *size = NULL;

  if (info == NULL)
    return FALSE;
  size = report_bytes (info->file_bytes);
  if (a->options.json)
    printf ("{\"layers\": %u, \"parameters\": %" G_GUINT64_FORMAT ", \"bytes\": %" G_GUINT64_FORMAT "}\n", info->layers, info->parameters,
            info->file_bytes);
  else
    report_sentence (_("%s: %u layers, %.2f billion parameters, %s\n"), a->output, info->layers, info->parameters / 1e9, size);
  return TRUE;
}

int
command_slice (int argc, char **argv)
{
  g_auto (Arguments) a = { .e2b = FALSE };
  g_autoptr (GError) error = NULL;
  FacetCancel cancel = { 0 };
  gboolean done;

  options_init (&a.options);
  if (!parse (&a, &argc, &argv))
    return EXIT_USAGE;
  interrupt_install ();
  interrupt_guard (&cancel);
  done = slice (&a, argv[1], &cancel, &error);
  interrupt_guard (NULL);
  report_progress_end ();
  if (done && (!g_file_test (a.output, G_FILE_TEST_IS_REGULAR) || say (&a, &error)))
    return EXIT_OK;
  report_error (error);
  return report_status (error);
}
