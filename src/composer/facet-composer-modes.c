#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>

#include "facet-composer-private.h"

#include "modes/facet-mode-options.h"
#include "modes/facet-policy.h"

static void
mode_action_cb (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  FacetComposer *self = data;

  facet_composer_set_mode (self, facet_mode_find (g_variant_get_string (parameter, NULL)));
  g_signal_emit_by_name (self, "mode-chosen", self->mode->id);
}

gboolean
facet_composer_offers (FacetComposer *self, const FacetMode *mode)
{
  return mode->judges == self->judges && (!mode->needs_eyes || self->sees) && (!mode->needs_ears || self->hears);
}

const FacetMode *
facet_composer_get_usual_mode (FacetComposer *self)
{
  return self->judges ? facet_mode_find ("check") : &facet_modes[0];
}

/* Why the model does not offer @mode. */
static char *
lacking (FacetComposer *self, const FacetMode *mode, const char *title)
{
  if (mode->judges != self->judges)
    /* Translators: %s is an assistant mode such as "Chat" */
    return g_strdup_printf (_("%s (needs a model that chats)"), title);
  /* Translators: %s is an assistant mode such as "Describe Picture" */
  return g_strdup_printf (mode->needs_eyes ? _("%s (needs a model that sees)") : _("%s (needs a model that hears)"), title);
}

void
_facet_composer_build_modes (FacetComposer *self)
{
  g_autoptr (GMenu) menu = g_menu_new ();
  g_autoptr (GMenu) modes = g_menu_new ();

  for (const FacetMode *mode = facet_modes; mode->id != NULL; mode++) {
    const char *title = g_dpgettext2 (GETTEXT_PACKAGE, "assistant mode", mode->title);
    gboolean offered = facet_composer_offers (self, mode);
    g_autofree char *label = offered ? g_strdup (title) : lacking (self, mode, title);
    g_autoptr (GMenuItem) item = NULL;

    /* of no use to the many who have no safety model */
    if (mode->judges && !self->judges)
      continue;
    item = g_menu_item_new (label, NULL);
    g_menu_item_set_action_and_target (item, offered ? "composer.mode" : "composer.lacking", "s", mode->id);
    g_menu_append_item (modes, item);
  }
  g_menu_append_section (menu, NULL, G_MENU_MODEL (modes));
  gtk_menu_button_set_menu_model (self->mode_button, G_MENU_MODEL (menu));
}

static gboolean
has_policy (FacetComposer *self, const char *own)
{
  for (const FacetPolicy *policy = facet_policies; policy->name != NULL; policy++)
    if (facet_policy_is_wanted (policy, self->settings))
      return TRUE;
  return *own != '\0';
}

const char *
_facet_composer_object_to_check (FacetComposer *self, const char *text)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->attachments));

  for (guint i = 0; i < n; i++) {
    g_autoptr (FacetAttachment) attachment = g_list_model_get_item (G_LIST_MODEL (self->attachments), i);

    if (facet_attachment_get_kind (attachment) != FACET_ATTACHMENT_IMAGE)
      return _("This model only checks pictures: remove the other files");
  }
  /* an edited message keeps its own */
  if (n == 0 && !gtk_widget_get_visible (self->banner))
    return _("Attach the picture to check");
  return has_policy (self, text) ? NULL : _("Choose a policy, or write one of your own");
}

const FacetMode *
facet_composer_get_mode (FacetComposer *self)
{
  return self->mode;
}

void
facet_composer_set_mode (FacetComposer *self, const FacetMode *mode)
{
  self->mode = mode;
  gtk_label_set_text (GTK_LABEL (self->placeholder), mode->judges ? _("A policy of your own, if you have one") : _("Ask anything"));
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->view), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  mode->judges ? _("Policy of Your Own") : _("Message"), -1);
  facet_mode_options_set_mode (self->options, mode);
  facet_mode_button_set_label (self->mode_button, _("Assistant Mode"), g_dpgettext2 (GETTEXT_PACKAGE, "assistant mode", mode->title));
  _facet_composer_changed (self);
}

void
_facet_composer_setup_modes (FacetComposer *self)
{
  const GActionEntry entries[] = { { "mode", mode_action_cb, "s" } };
  g_autoptr (GSimpleActionGroup) actions = g_simple_action_group_new ();

  g_action_map_add_action_entries (G_ACTION_MAP (actions), entries, G_N_ELEMENTS (entries), self);
  gtk_widget_insert_action_group (GTK_WIDGET (self), "composer", G_ACTION_GROUP (actions));
}
