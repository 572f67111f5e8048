package picture

import (
	"context"
	"slices"

	"parley/ent"
	entimage "parley/ent/image"
	"parley/ent/imageuse"
	"parley/internal/channel"
	"parley/internal/desk/component"
	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
)

// keys are the images that a design names, each once, with a field that names it.
func (s *Service) keys(used []component.Used) (keys []int64, at map[int64]string) {
	at = map[int64]string{}
	for _, u := range used {
		key, _ := s.IDs.Decode(publicid.Image, u.ID) // no image has the key 0
		if at[key] == "" {
			at[key], keys = u.At, append(keys, key)
		}
	}
	return keys, at
}

// Use notes that a version of a component uses images, so that they stay. The fault names
// the field of one that is not there. The viewer of ctx is the system.
func (s *Service) Use(ctx context.Context, tx *store.Tx, by int64, used []component.Used) error {
	keys, at := s.keys(used)
	if len(keys) == 0 {
		return nil
	}
	there, err := tx.Ent.Image.Query().Where(entimage.IDIn(keys...)).IDs(ctx)
	if err != nil {
		return err
	}
	var noted []int64
	if err := tx.Ent.ImageUse.Query().Where(imageuse.ComponentID(by)).Select(imageuse.FieldImageID).Scan(ctx, &noted); err != nil {
		return err
	}
	for _, key := range keys {
		var err error
		if !slices.Contains(noted, key) && slices.Contains(there, key) {
			err = tx.Ent.ImageUse.Create().SetImageID(key).SetComponentID(by).Exec(ctx)
		}
		if !slices.Contains(there, key) || ent.IsConstraintError(err) { // deleted, perhaps just now
			return fault.Input(at[key], "There is no such image. Upload it, or correct the id.")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Sent are the images that a design names, by id, with addresses for customers. One that is
// gone is left out.
func (s *Service) Sent(ctx context.Context, used []component.Used) (map[string]channel.Image, error) {
	keys, _ := s.keys(used)
	if len(keys) == 0 {
		return nil, nil
	}
	found, err := s.ByKey(ctx, keys)
	if err != nil {
		return nil, err
	}
	sent := make(map[string]channel.Image, len(found))
	for key, image := range found {
		sent[image.ID()] = channel.Image{Key: key, URL: s.Links.Sent(key)}
	}
	return sent, nil
}

// Of are the images that each list names, in one statement. Those that are gone are left
// out.
func (s *Service) Of(ctx context.Context, lists [][]component.Used) ([][]*Image, error) {
	var all []component.Used
	for _, used := range lists {
		all = append(all, used...)
	}
	keys, _ := s.keys(all)
	found := map[int64]*Image{}
	if len(keys) > 0 {
		var err error
		if found, err = s.ByKey(ctx, keys); err != nil {
			return nil, err
		}
	}
	out := make([][]*Image, len(lists))
	for i, used := range lists {
		out[i] = []*Image{}
		keys, _ := s.keys(used)
		for _, key := range keys {
			if image := found[key]; image != nil {
				out[i] = append(out[i], image)
			}
		}
	}
	return out, nil
}
