#include <math.h>
#include <stdio.h>

#include <glib/gi18n.h>

#include "commands.h"
#include "interrupt.h"
#include "options.h"
#include "pictures.h"
#include "report.h"

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

/* How probable a violation is, or NAN. */
static double
score (const Arguments *arguments, FacetModel *model, FacetImage *image, GError **error)
{
  FacetSessionParams params = { .context = arguments->options.context, .kv_type = arguments->options.kv_type };
  FacetCancel cancel = { 0 };
  g_autoptr (FacetSession) session = facet_session_new (model, &params, error);
  const char *known = facet_policy_text (arguments->policy);
  double probability;

  if (session == NULL)
    return NAN;
  interrupt_guard (&cancel);
  probability = facet_session_judge_image (session, image, known != NULL ? known : arguments->policy, &cancel, error);
  interrupt_guard (NULL);
  return probability;
}

int
command_score_image (int argc, char **argv)
{
  g_auto (Arguments) arguments = { .policy = NULL };
  const GOptionEntry entries[] = {
    { "image", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &arguments.images, N_("Picture to judge"), N_("FILE") },
    { "policy", 0, 0, OPTIONS_ARG_BYTES, &arguments.policy, N_("dangerous, sexual or violence, or what the picture shall not contain in your own words"), N_("TEXT") },
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
  if (!facet_model_get_info (model)->is_safety)
    fprintf (stderr, "%s\n", _("Note: this is no safety model such as ShieldGemma 2. What it says of policies means little."));
  interrupt_install ();
  probability = score (&arguments, model, g_ptr_array_index (images, 0), &error);
  if (isnan (probability)) {
    report_error (error);
    return report_status (error);
  }
  if (arguments.options.json)
    printf ("{\"probability\": %.6f}\n", probability);
  else
    printf ("%.6f\n", probability);
  return EXIT_OK;
}
