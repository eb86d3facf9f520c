#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>

#include "facet-error-text.h"

const char *
facet_error_text (const GError *error)
{
  if (error->domain != FACET_ERROR)
    return _("Something unexpected went wrong.");

  switch ((FacetErrorCode) error->code) {
  case FACET_ERROR_IO:
    return _("The file cannot be read, or a part of it is missing.");
  case FACET_ERROR_NOT_A_MODEL:
    return _("This file is not a model. Models are GGUF files.");
  case FACET_ERROR_CORRUPT:
    return _("The model file is damaged. Download it again.");
  case FACET_ERROR_UNSUPPORTED:
    return _("This model needs something that Facet does not offer. Choose another one.");
  case FACET_ERROR_MISSING:
    return _("The model file is incomplete. Choose another one.");
  case FACET_ERROR_NO_MEMORY:
    return _("There is not enough memory. Choose a smaller model or a shorter context.");
  case FACET_ERROR_CONTEXT_FULL:
    return _("The conversation no longer fits the context. Start a new chat or, if the model allows more, raise the context length.");
  case FACET_ERROR_CANCELLED:
    return _("It was stopped.");
  case FACET_ERROR_INVALID:
    return _("The request makes no sense to the engine.");
  case FACET_ERROR_MEDIA:
    return _("A picture or sound cannot be read.");
  case FACET_ERROR_NO_ENCODER:
    return _("This model cannot see pictures or hear sound. Choose one that can.");
  case FACET_ERROR_DEVICE:
    return _("The graphics device failed. Load the model again, or use the processor.");
  case FACET_ERROR_NUMERIC:
    return _("The model computed nonsense. Its file may be damaged.");
  case FACET_ERROR_CHANGED:
    return _("The model file changed while it was in use. It is loaded again as it is now; then ask once more.");
  default:
    return _("Something unexpected went wrong.");
  }
}

const char *
facet_notice_text (FacetNotice notice)
{
  switch (notice) {
  case FACET_NOTICE_CPU_INSTEAD:
    return _("The graphics device cannot run this model; the processor does.");
  case FACET_NOTICE_DEVICE_LOST:
    return _("The graphics device failed; the processor went on from there.");
  case FACET_NOTICE_SPLIT:
    return _("The graphics device has no room for the whole model: the processor computes a part of it, which is slower. "
             "A smaller model or a shorter context may fit.");
  case FACET_NOTICE_NONE:
    break;
  }
  return NULL;
}
