#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>

#include "facet-composer-private.h"

#include "modes/facet-mode-options.h"

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
  return (!mode->needs_eyes || self->sees) && (!mode->needs_ears || self->hears);
}

void
_facet_composer_build_modes (FacetComposer *self)
{
  g_autoptr (GMenu) menu = g_menu_new ();
  g_autoptr (GMenu) modes = g_menu_new ();

  for (const FacetMode *mode = facet_modes; mode->id != NULL; mode++) {
    const char *title = g_dpgettext2 (GETTEXT_PACKAGE, "assistant mode", mode->title);
    g_autofree char *label = NULL;
    g_autoptr (GMenuItem) item = NULL;

    if (facet_composer_offers (self, mode))
      label = g_strdup (title);
    else
      /* Translators: %s is an assistant mode such as "Describe Picture" */
      label = g_strdup_printf (mode->needs_eyes ? _("%s (needs a model that sees)") : _("%s (needs a model that hears)"),
                               title);
    item = g_menu_item_new (label, NULL);
    g_menu_item_set_action_and_target (item, facet_composer_offers (self, mode) ? "composer.mode" : "composer.lacking", "s",
                                       mode->id);
    g_menu_append_item (modes, item);
  }
  g_menu_append_section (menu, NULL, G_MENU_MODEL (modes));
  gtk_menu_button_set_menu_model (self->mode_button, G_MENU_MODEL (menu));
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
