#include <math.h>
#include <stdio.h>

#include <glib/gi18n.h>

#include "commands.h"
#include "interrupt.h"
#include "options.h"
#include "media.h"
#include "pictures.h"
#include "report.h"

/* Worded after the prompt of the ShieldGemma models. */
#define QUESTION                                                                                                     \
  "You are a policy expert trying to help determine whether an image is in violation of the defined safety "         \
  "policies.\n\n<start_of_policy>\n%s\n<end_of_policy>\n\nDoes the image violate the above policy? Your answer must " \
  "start with 'Yes' or 'No'. And then walk through step by step to be sure we answer correctly."

typedef struct {
  Options options;
  char  **images;
  char   *policy;
} Arguments;

static void
arguments_clear (Arguments *arguments)
{
  options_clear (&arguments->options);
  g_strfreev (arguments->images);
  g_free (arguments->policy);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Arguments, arguments_clear)

/* The token with which an answer of this word begins. */
static gint32
first_token (FacetModel *model, const char *word)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));

  facet_tokenize (model, word, -1, FALSE, ids);
  return g_array_index (ids, gint32, 0);
}

/* How probable “Yes” is among the two answers, or -1. */
static double
score (const Arguments *arguments, FacetModel *model, GPtrArray *images, GError **error)
{
  FacetSessionParams params = { .context = arguments->options.context, .kv_type = arguments->options.kv_type };
  FacetCancel cancel = { 0 };
  g_autoptr (FacetSession) session = facet_session_new (model, &params, error);
  g_autoptr (FacetPrompt) prompt = facet_prompt_new (FACET_TEMPLATE_FAMILY);
  g_autoptr (GArray) logits = g_array_new (FALSE, FALSE, sizeof (float));
  g_autofree char *question = g_strdup_printf (QUESTION, arguments->policy);
  gint32 yes = first_token (model, "Yes"), no = first_token (model, "No");
  gboolean done;

  if (session == NULL)
    return -1;
  facet_prompt_begin_turn (prompt, FACET_ROLE_USER);
  media_add_text (prompt, question, images, NULL);
  interrupt_guard (&cancel);
  done = facet_session_logits (session, prompt, FALSE, logits, &cancel, error);
  interrupt_guard (NULL);
  if (!done)
    return -1;
  return 1 / (1 + exp ((double) g_array_index (logits, float, no) - g_array_index (logits, float, yes)));
}

int
command_score_image (int argc, char **argv)
{
  g_auto (Arguments) arguments = { .policy = NULL };
  const GOptionEntry entries[] = {
    { "image", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &arguments.images, N_("Picture to judge"), N_("FILE") },
    { "policy", 0, 0, OPTIONS_ARG_BYTES, &arguments.policy, N_("What the picture must not show"), N_("TEXT") },
    G_OPTION_ENTRY_NULL
  };
  g_autoptr (FacetModel) model = NULL;
  g_autoptr (GPtrArray) images = NULL;
  g_autoptr (GError) error = NULL;
  double probability;

  options_init (&arguments.options);
  if (!options_parse (&arguments.options, OPTIONS_MODEL | OPTIONS_JSON, NULL,
                      N_("Asks a safety model whether a picture violates a policy, and prints how probable “Yes” is."), entries,
                      &argc, &argv))
    return EXIT_USAGE;
  if (arguments.images == NULL || g_strv_length (arguments.images) != 1 || arguments.policy == NULL) {
    options_complain (g_get_prgname (), "%s", _("name one picture with --image and say the policy with --policy"));
    return EXIT_USAGE;
  }
  model = options_load_model (&arguments.options, NULL);
  images = model != NULL ? pictures_load (model, arguments.images) : NULL;
  if (images == NULL)
    return EXIT_FAILED;
  interrupt_install ();
  probability = score (&arguments, model, images, &error);
  if (probability < 0) {
    report_error (error);
    return report_status (error);
  }
  if (arguments.options.json)
    printf ("{\"probability\": %.6f}\n", probability);
  else
    printf ("%.6f\n", probability);
  return EXIT_OK;
}
