#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glib/gi18n.h>

#include "commands.h"
#include "interrupt.h"
#include "media.h"
#include "npy.h"
#include "options.h"
#include "pictures.h"
#include "placeholders.h"
#include "report.h"
#include "sounds.h"

#define DEFAULT_CONTEXT 4096
#define TEMPLATE_TOKENS 64 /* more than any family puts around one turn */

typedef struct {
  Options  options;
  char    *ids;
  char    *text;
  char    *output;
  char    *dump_dir;
  char   **images;
  char   **sounds;
  gboolean template;
  gboolean all;
} Arguments;

static void
arguments_clear (Arguments *arguments)
{
  options_clear (&arguments->options);
  g_free (arguments->ids);
  g_free (arguments->text);
  g_free (arguments->output);
  g_free (arguments->dump_dir);
  g_strfreev (arguments->images);
  g_strfreev (arguments->sounds);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Arguments, arguments_clear)

/* What the layers put out, layer -1 first; several calls each when the
 * prompt is computed in chunks. */
typedef struct {
  GPtrArray *layers; /* of GArray of float */
  GArray    *widths; /* gsize, of each */
} LayerDump;

static void
collect_layer (int layer, const float *data, gsize rows, gsize width, gpointer user_data)
{
  LayerDump *dump = user_data;
  guint index = layer + 1;

  while (dump->layers->len <= index) {
    g_ptr_array_add (dump->layers, g_array_new (FALSE, FALSE, sizeof (float)));
    g_array_append_val (dump->widths, width);
  }
  g_array_append_vals (g_ptr_array_index (dump->layers, index), data, rows * width);
  g_array_index (dump->widths, gsize, index) = width;
}

static gboolean
write_layers (const LayerDump *dump, const char *dir, GError **error)
{
  for (guint i = 0; i < dump->layers->len; i++) {
    const GArray *layer = g_ptr_array_index (dump->layers, i);
    gsize width = g_array_index (dump->widths, gsize, i);
    g_autofree char *name = i == 0 ? g_strdup ("embeddings.npy") : g_strdup_printf ("layer-%02u.npy", i - 1);
    g_autofree char *path = g_build_filename (dir, name, NULL);

    if (!npy_write (path, (const float *) layer->data, layer->len / width, width, error))
      return FALSE;
  }
  return TRUE;
}

/* "2,10,7" as token ids. @place: one that may lie past the vocabulary, or -1. */
static gboolean
parse_ids (const char *list, int vocab_size, gint32 place, GArray *ids)
{
  const char *at = list;

  for (;;) {
    char *end;
    gint64 id = g_ascii_strtoll (at, &end, 10);
    gint32 value = id;

    if (end == at || (*end != ',' && *end != '\0') || id < 0 || (id >= vocab_size && id != place)) {
      report_sentence (_("%s: “%s” in --ids is no token of this model (0 to %d)\n"), g_get_prgname (), at, vocab_size - 1);
      return FALSE;
    }
    g_array_append_val (ids, value);
    if (*end == '\0')
      return TRUE;
    at = end + 1;
  }
}

static gboolean
add_ids (FacetPrompt *prompt, const char *list, FacetModel *model, GPtrArray *images, GPtrArray *sounds)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  gint32 place = images->len > 0 ? facet_token_placeholder (model, FALSE) : -1;

  return parse_ids (list, facet_model_vocab_size (model), place, ids) && placeholders_add (prompt, model, ids, images, sounds);
}

static FacetPrompt *
make_prompt (const Arguments *arguments, FacetModel *model, GPtrArray *images, GPtrArray *sounds)
{
  FacetPrompt *prompt = facet_prompt_new (arguments->template ? FACET_TEMPLATE_FAMILY : FACET_TEMPLATE_RAW);

  facet_prompt_begin_turn (prompt, FACET_ROLE_USER);
  if (arguments->ids == NULL)
    media_add_text (prompt, arguments->text, images, sounds);
  else if (!add_ids (prompt, arguments->ids, model, images, sounds))
    g_clear_pointer (&prompt, facet_prompt_free);
  return prompt;
}

/* As asked, else enough for the prompt: no token is shorter than a byte. */
static int
context_for (const Arguments *arguments, FacetModel *model)
{
  gsize bytes = strlen (arguments->ids != NULL ? arguments->ids : arguments->text);
  gsize limit = facet_model_get_info (model)->context_length;

  if (arguments->options.context > 0)
    return arguments->options.context;
  return MIN (MAX (bytes + TEMPLATE_TOKENS, DEFAULT_CONTEXT), limit);
}

static gboolean
compute (const Arguments *arguments, FacetModel *model, FacetPrompt *prompt, GError **error)
{
  FacetSessionParams params = { .context = context_for (arguments, model), .kv_type = arguments->options.kv_type };
  FacetCancel cancel = { 0 };
  g_autoptr (FacetSession) session = facet_session_new (model, &params, error);
  g_autoptr (GArray) logits = g_array_new (FALSE, FALSE, sizeof (float));
  g_autoptr (GPtrArray) layers = g_ptr_array_new_with_free_func ((GDestroyNotify) g_array_unref);
  g_autoptr (GArray) widths = g_array_new (FALSE, FALSE, sizeof (gsize));
  LayerDump dump = { layers, widths };
  gsize vocab = facet_model_vocab_size (model);

  if (session == NULL)
    return FALSE;
  if (arguments->dump_dir != NULL)
    facet_session_set_layer_func (session, collect_layer, &dump);
  interrupt_guard (&cancel);
  if (!facet_session_logits (session, prompt, arguments->all, logits, &cancel, error))
    return FALSE;
  interrupt_guard (NULL);
  if (!npy_write (arguments->output, (const float *) logits->data, logits->len / vocab, vocab, error))
    return FALSE;
  return arguments->dump_dir == NULL || write_layers (&dump, arguments->dump_dir, error);
}

/* FALSE: @status says with what to leave. */
static gboolean
parse_arguments (Arguments *arguments, int *argc, char ***argv, int *status)
{
  const GOptionEntry entries[] = {
    { "prompt", 'p', 0, OPTIONS_ARG_BYTES, &arguments->text, N_("Text to read"), N_("TEXT") },
    { "ids", 0, 0, G_OPTION_ARG_STRING, &arguments->ids, N_("Token ids to read, as they are: “2,10,7”"), N_("LIST") },
    { "image", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &arguments->images, N_("Picture to look at; “<image>” in the text says where, else it comes first"), N_("FILE") },
    { "audio", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &arguments->sounds, N_("Sound to listen to; “<audio>” in the text says where, else it comes first"), N_("FILE") },
    { "template", 0, 0, G_OPTION_ARG_NONE, &arguments->template, N_("Put the text into a turn of the chat template"), NULL },
    { "all", 0, 0, G_OPTION_ARG_NONE, &arguments->all, N_("Logits after every token, not only the last"), NULL },
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &arguments->output, N_("Where to write float32 [rows, vocabulary]"), N_("FILE.npy") },
    { "dump-layers", 0, 0, G_OPTION_ARG_FILENAME, &arguments->dump_dir, N_("Folder for each layer's output"), N_("FOLDER") },
    G_OPTION_ENTRY_NULL
  };

  *status = EXIT_USAGE;
  if (!options_parse (&arguments->options, OPTIONS_MODEL, NULL, N_("Writes what the model computes for a prompt, for checking."),
                      entries, argc, argv))
    return FALSE;
  if (arguments->output == NULL || (arguments->ids == NULL) == (arguments->text == NULL)
      || (arguments->ids != NULL && arguments->template)) {
    options_complain (g_get_prgname (), "%s", _("give -o and either -p (with or without --template) or --ids"));
    return FALSE;
  }
  *status = EXIT_FAILED;
  if (arguments->dump_dir != NULL && g_mkdir_with_parents (arguments->dump_dir, 0777) != 0) {
    report_sentence (_("%s: the folder %s cannot be made\n"), g_get_prgname (), arguments->dump_dir);
    return FALSE;
  }
  return TRUE;
}

int
command_logits (int argc, char **argv)
{
  g_auto (Arguments) arguments = { .ids = NULL };
  g_autoptr (FacetModel) model = NULL;
  g_autoptr (GPtrArray) images = NULL, sounds = NULL;
  g_autoptr (FacetPrompt) prompt = NULL;
  g_autoptr (GError) error = NULL;
  int status;

  options_init (&arguments.options);
  if (!parse_arguments (&arguments, &argc, &argv, &status))
    return status;
  model = options_load_model (&arguments.options, NULL);
  if (model == NULL)
    return EXIT_FAILED;
  images = pictures_load (model, arguments.images);
  sounds = images != NULL ? sounds_load (model, arguments.sounds, NULL) : NULL;
  if (sounds == NULL)
    return EXIT_FAILED;
  prompt = make_prompt (&arguments, model, images, sounds);
  if (prompt == NULL)
    return EXIT_USAGE;
  interrupt_install ();
  if (!compute (&arguments, model, prompt, &error)) {
    report_error (error);
    return report_status (error);
  }
  return EXIT_OK;
}
